"""Due times of handoffs to which ops applied later versions of the agreement, as the SLA monitor counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import NamedTuple

from services.routing.domain.answers import PastStep
from services.routing.domain.due_times import DueTimes, beginning, end_of
from services.routing.domain.handoff import Handoff, Step
from shared.agreement.model import Policy
from shared.calendar import ChangingHours, CompiledCalendar
from shared.calendar.running_time import RunningTime
from shared.contracts.payloads import ClockChange, SlaChanged


class AppliedTerms(NamedTuple):
    """What ops applied to the promises of a handoff: a version of the agreement, or the end of a policy."""

    applied_at: datetime
    version: int
    ended_policy: str | None = None
    """The policy that ended; None: the promises count by the version from then on."""

    @classmethod
    def of(cls, clock: SlaChanged) -> AppliedTerms | None:
        """What a change of a clock says of them; None where it says nothing."""
        if clock.change is ClockChange.MOVED:
            return cls(clock.occurred_at, clock.agreement_version)
        if clock.change is ClockChange.CANCELLED:
            return cls(clock.occurred_at, clock.agreement_version, clock.policy)
        return None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Versions = Mapping[int, DueTimes]
"""Versions of the agreement; those that do not have the handoff's team are missing."""


class PromisedHandoff(NamedTuple):
    """A handoff with what decides when the promises about it are due."""

    handoff: Handoff
    steps: Sequence[PastStep] = ()
    """Its steps so far; of a first assignment they may be left out."""
    applied: Sequence[AppliedTerms] = ()
    """What ops applied to its promises, in the order of time."""

    @classmethod
    def after(
        cls, step: Step, earlier: Sequence[PastStep], applied: Sequence[AppliedTerms]
    ) -> PromisedHandoff:
        """The handoff after a step that is not stored yet; without earlier ones it needs none."""
        handoff = step.handoff
        new = PastStep(
            step.change, step.occurred_at, step.actor, handoff.hop, handoff.rep, step.details
        )
        return cls(handoff, [*earlier, new] if earlier else (), applied)

    @property
    def applied_versions(self) -> set[int]:
        """The versions of the agreement that ops applied to it."""
        return {it.version for it in self.applied if it.ended_policy is None}

    def due_times(self, versions: Versions) -> Iterator[tuple[Policy, datetime]]:
        """The promises that have begun for it, and when each is due by the terms that count now."""
        handoff, steps = self.handoff, self.steps
        own = versions[handoff.agreement_version]
        if not self.applied:
            yield from own.of(handoff, steps)
            return
        for offers in _offers_of(handoff, versions, self.applied):
            for number, (offer, following) in enumerate(zip_longest(offers, offers[1:]), start=1):
                since = offer.beginning(handoff, steps, following)
                if since is not None and offer.policy is not None and offer.hours is not None:
                    pauses = own.pauses(offer.policy, handoff, steps)
                    running = RunningTime(offer.hours, since, pauses)
                    due = _due(offer.policy, running, offers[number:])
                    yield from [] if due is None else [due]
                    break


class _Offer(NamedTuple):
    """What a promise is from an instant on; None: from the beginning."""

    since: datetime | None
    policy: Policy | None
    """None where there is no such promise."""
    hours: CompiledCalendar | None

    def beginning(
        self, handoff: Handoff, steps: Sequence[PastStep], following: _Offer | None
    ) -> datetime | None:
        """When the promise begins, if that is in the time of this offer, which the following one ends."""
        at = None if self.policy is None else beginning(self.policy, handoff, steps)
        if at is None or (self.since is not None and at < self.since):
            return None
        is_over = following is not None and following.since is not None and at >= following.since
        return None if is_over else at


def _offers_of(
    handoff: Handoff, versions: Versions, applied: Sequence[AppliedTerms]
) -> Iterator[list[_Offer]]:
    """For each policy what it is in the order of time, first by the handoff's own version."""
    own = _offers(handoff, versions[handoff.agreement_version], None)
    later = [
        (it, _offers(handoff, versions[it.version], it.applied_at))
        for it in applied
        if it.ended_policy is None and it.version in versions
    ]
    ended = [it for it in applied if it.ended_policy is not None]
    for id in dict.fromkeys([*own, *(id for _, it in later for id in it)]):
        offers = [it.get(id, _Offer(terms.applied_at, None, None)) for terms, it in later]
        offers += [_Offer(it.applied_at, None, None) for it in ended if it.ended_policy == id]
        offers.sort(key=_since)
        yield [own.get(id, _Offer(None, None, None)), *offers]


def _since(offer: _Offer) -> datetime:
    return offer.since or _LONG_AGO


def _offers(handoff: Handoff, version: DueTimes, since: datetime | None) -> dict[str, _Offer]:
    return {
        it.id: _Offer(since, it, version.hours(it, handoff)) for it in version.promises(handoff)
    }


def _due(
    policy: Policy, running: RunningTime, later: Sequence[_Offer]
) -> tuple[Policy, datetime] | None:
    """The promise that began then, as later offers leave it; None where one of them ends it.

    Time that is spent stays spent, nothing is due before its terms were applied, and what is overdue stays as it is.
    """
    hours = running.calendar
    end = end_of(policy, running)
    for following in later:
        at, after, calendar = _since(following), following.policy, following.hours
        if (
            after is None
            or calendar is None
            or (after.kind, after.scope) != (policy.kind, policy.scope)
        ):
            return None
        if end > at:
            if calendar is not hours:
                changing = ChangingHours(running.calendar, at, calendar)
                running, hours = running._replace(calendar=changing), calendar
            policy = after
            end = max(at, end_of(policy, running))
    return policy, end
