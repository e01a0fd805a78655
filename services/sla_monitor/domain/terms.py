"""The terms that clocks count by: those of the version under which they started, and of versions applied later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.sla_monitor.domain.histories import ScopedHistory
from services.sla_monitor.domain.policy import SlaPolicy
from shared.agreement.model import Anchor, Policy
from shared.calendar import ChangingHours, CompiledCalendar, WorkingHours
from shared.contracts.payloads import HandoffChanged, Scope


class AppliedVersion(NamedTuple):
    """A version of the agreement that ops applied to a handoff: its clocks count by it from `applied_at` on."""

    version: int
    applied_at: datetime
    policy: str | None = None
    """The only policy that it concerns; None: all of them."""


class Offer(NamedTuple):
    """What a version of the agreement promises by one policy, from `since` on; None: from the beginning."""

    since: datetime | None
    sla_policy: SlaPolicy
    policy: Policy | None
    """None where the version has no such promise to this handoff."""
    calendar: CompiledCalendar | None
    """None where the version does not have the handoff's team."""

    def holds_at(self, at: datetime, following: Offer | None) -> bool:
        """Whether the instant lies in the time of this version, which the following one ends."""
        is_over = following is not None and following.since is not None and at >= following.since
        return not is_over and (self.since is None or at >= self.since)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a clock: what it counts by now, and before that. Its anchor stays what it was at its start."""

    sla_policy: SlaPolicy
    policy: Policy
    hours: WorkingHours
    calendar: CompiledCalendar
    anchor: Anchor
    applied_at: datetime | None = None
    before: Terms | None = None

    def changed(self, offer: Offer, policy: Policy, *, at: datetime) -> Terms:
        """The terms by which the offer's policy counts from this instant on; the same ones without the team."""
        if offer.calendar is None:
            return self
        hours = self.hours
        if offer.calendar is not self.calendar:
            hours = ChangingHours(self.hours, at, offer.calendar)
        return Terms(offer.sla_policy, policy, hours, offer.calendar, self.anchor, at, self)

    @property
    def all(self) -> list[Terms]:
        """The terms that the clock has counted by, in order of time."""
        return [*(self.before.all if self.before is not None else ()), self]


def offers_of(
    scoped_history: ScopedHistory,
    policies: Mapping[int, SlaPolicy],
    applied: Sequence[AppliedVersion],
) -> Iterator[list[Offer]]:
    """For each policy, what the versions promise by it, in order of time: first that of the decision.

    A version that is not newer than the one before changes nothing.
    """
    pinned = policies[scoped_history.first.agreement_version]
    base = _Promises.of(scoped_history, pinned)
    later = [(it, _Promises.of(scoped_history, policies[it.version])) for it in applied]
    for id in dict.fromkeys([*base.policies, *(id for _, it in later for id in it.policies)]):
        offers = [base.offer(None, id)]
        for version, promises in later:
            concerned = version.policy is None or version.policy == id
            if concerned and version.version > offers[-1].sla_policy.version:
                offers.append(promises.offer(version.applied_at, id))
        yield offers


class _Promises(NamedTuple):
    """What a version promises about one part of a history."""

    sla_policy: SlaPolicy
    policies: Mapping[str, Policy]
    calendar: CompiledCalendar | None

    @classmethod
    def of(cls, scoped_history: ScopedHistory, sla_policy: SlaPolicy) -> _Promises:
        scope, first = scoped_history.scope, scoped_history.first
        policies = {it.id: it for it in sla_policy.promises(scope, first)}
        own_calendar = first.calendar if scope is Scope.HOP else None
        calendar = sla_policy.find_calendar(first.team, own_calendar) if policies else None
        return cls(sla_policy, policies, calendar)

    def offer(self, since: datetime | None, id: str) -> Offer:
        return Offer(since, self.sla_policy, self.policies.get(id), self.calendar)


def with_version(
    applied: Iterable[AppliedVersion], version: AppliedVersion
) -> list[AppliedVersion]:
    """The versions that were applied to a handoff, and this one, unless it is among them already."""
    versions = list(applied)
    known = {(it.version, it.policy) for it in versions}
    return versions if (version.version, version.policy) in known else [*versions, version]


def versions_of(
    histories: Iterable[Sequence[HandoffChanged]], applied: Iterable[Sequence[AppliedVersion]]
) -> set[int]:
    """The numbers of all versions that the clocks of these histories may count by."""
    return {
        *(it.agreement_version for history in histories for it in history),
        *(it.version for versions in applied for it in versions),
    }
