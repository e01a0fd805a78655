"""A handoff's clocks, derived from the set of its changes: the order in which changes arrive does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple
from uuid import UUID, uuid5

from services.sla_monitor.domain.clocks import POLICY_ENDED, Clock, State
from services.sla_monitor.domain.histories import ScopedHistory, scoped_histories
from services.sla_monitor.domain.ladder import escalation_steps
from services.sla_monitor.domain.pauses import clock_pauses
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.stops import ACCEPTANCE, earliest, find_stop
from services.sla_monitor.domain.terms import AppliedVersion, Offer, Terms, offers_of
from shared.agreement.model import Anchor, Policy
from shared.calendar import WorkingHours
from shared.calendar.running_time import RunningTime
from shared.contracts.payloads import Change, HandoffChanged, Scope

CLOCK_IDS = UUID("0ee6ea8d-3c58-5b0c-9a2f-52b1d6a0a5c1")
"""The namespace of clock ids."""

MAX_SOURCES, MAX_CHARACTERS = 20, 400
"""A clock keeps so many of the lead's sources, and so much of the name of a source or a campaign: as much as a
parameter of the API may have."""


def derive_clocks(
    history: Sequence[HandoffChanged],
    policies: Mapping[int, SlaPolicy],
    applied: Sequence[AppliedVersion] = (),
    *,
    traceparent: str | None = None,
) -> list[Clock]:
    """Every clock of a handoff, without what sweeps and earlier announcements have added to it.

    `history` is in the order of `sequence`, each change once; changes that are missing in it change
    the result when they arrive. `applied` is in the order of time. `policies` holds each agreement version that the
    two name.
    """
    derived = derive_with_terms(history, policies, applied)
    return [clock._replace(traceparent=traceparent) for clock, _ in derived]


def derive_with_terms(
    history: Sequence[HandoffChanged],
    policies: Mapping[int, SlaPolicy],
    applied: Sequence[AppliedVersion],
) -> Iterator[tuple[Clock, Terms]]:
    """Every clock of a handoff as `derive_clocks` has it, with the terms that it counts by."""
    for scoped_history in scoped_histories(history):
        for offers in offers_of(scoped_history, policies, applied):
            start = _find_start(offers, scoped_history)
            if start is not None:
                yield _with_offers(start, scoped_history, policies)


class _Start(NamedTuple):
    """When a clock starts, under which terms, and what later versions make of it."""

    at: datetime
    terms: Terms
    later: Sequence[Offer]


def _find_start(offers: Sequence[Offer], scoped_history: ScopedHistory) -> _Start | None:
    """The start by the first version in whose time its anchor happened, or None if that has not happened."""
    for number, (offer, following) in enumerate(zip_longest(offers, offers[1:]), start=1):
        if offer.policy is None:
            continue
        at = _anchored_at(offer.policy.anchor, scoped_history)
        if at is not None and offer.holds_at(at, following):
            return _Start(at, _first_terms(offer, offer.policy, scoped_history), offers[number:])
    return None


def _first_terms(offer: Offer, policy: Policy, scoped_history: ScopedHistory) -> Terms:
    calendar = offer.calendar
    if calendar is None:
        first, sla_policy = scoped_history.first, offer.sla_policy
        calendar = sla_policy.calendar(first.team, None)
    return Terms(offer.sla_policy, policy, calendar, calendar, policy.anchor)


def _with_offers(
    start: _Start, scoped_history: ScopedHistory, policies: Mapping[int, SlaPolicy]
) -> tuple[Clock, Terms]:
    """The clock as later versions leave it: one that has ended, or is overdue, keeps its terms.

    A policy that a version does not have, or has for another kind of answer, ends the clock.
    """
    terms, kind = start.terms, start.terms.policy.kind
    time = RunningTime(terms.hours, start.at, clock_pauses(scoped_history, kind, policies))
    clock = _clock(terms, scoped_history, time)
    for offer in start.later:
        at, policy = offer.since, offer.policy
        if at is None or (clock.ended_at is not None and clock.ended_at <= at):
            break
        if policy is None or policy.kind != kind:
            return _cancelled(clock, at, time._replace(calendar=terms.hours)), terms
        if clock.due_at > at:
            terms = terms.changed(offer, policy, at=at)
            clock = _clock(terms, scoped_history, time._replace(calendar=terms.hours))
    return clock, terms


def _cancelled(clock: Clock, at: datetime, time: RunningTime) -> Clock:
    return clock._replace(
        state=State.CANCELLED,
        ended_at=at,
        ended_by=POLICY_ENDED,
        reported_at=at,
        reported_late=False,
        spent=time.before(clock.due_at).spent(at),
        paused_until=None,
    )


def _clock(terms: Terms, scoped_history: ScopedHistory, time: RunningTime) -> Clock:
    """The policy's clock on this part of the history. It is never due before its terms were applied."""
    first, policy, hours = scoped_history.first, terms.policy, terms.hours
    started_at = time.started_at
    due_at = time.end(policy.target, roll_to_next_open=policy.roll_to_next_open)
    if terms.applied_at is not None:
        due_at = max(due_at, terms.applied_at)
    time = time.before(due_at)
    clock = Clock(
        id=uuid5(CLOCK_IDS, f"{first.handoff_id}/{scoped_history.hop}/{policy.id}"),
        handoff_id=first.handoff_id,
        lead_id=first.lead_id,
        hop=scoped_history.hop,
        policy=policy.id,
        kind=policy.kind,
        scope=scoped_history.scope,
        team=first.team,
        rep=scoped_history.rep,
        tier=first.tier,
        lead_name=first.lead_name,
        calendar=hours.calendar.id,
        agreement_version=terms.sla_policy.version,
        target=policy.target,
        started_at=started_at,
        warn_at=time.end(policy.warn_after),
        due_at=due_at,
        due_on=hours.local_date(due_at),
        escalation_steps=escalation_steps(policy, time, due_at),
        paused_for=time.paused_for,
        paused_until=time.pauses[-1].until if time.pauses else None,
        applied_at=terms.applied_at,
    )
    ended = _with_end(_with_sources(clock, first), terms, scoped_history, time)
    return _with_report(ended, hours, terms.sla_policy.agreement.sla.report_within)


def _with_sources(clock: Clock, first: HandoffChanged) -> Clock:
    """The clock with where its lead came from, as much of it as is kept."""
    return clock._replace(
        sources=tuple(it[:MAX_CHARACTERS] for it in first.sources[:MAX_SOURCES]),
        campaign=first.campaign[:MAX_CHARACTERS] if first.campaign else None,
    )


def _anchored_at(anchor: Anchor, scoped_history: ScopedHistory) -> datetime | None:
    """When the anchor happened: the real instant, even outside working hours.

    A hop's clock never starts before its assignment, not even with the anchor `qualified`.
    """
    if anchor is Anchor.QUALIFIED and scoped_history.scope is Scope.JOURNEY:
        return scoped_history.first.qualified_at
    if anchor in {Anchor.QUALIFIED, Anchor.ASSIGNED}:
        assigned = (
            it.assigned_at or it.occurred_at for it in scoped_history.changes if it.rep is not None
        )
        return min(assigned, default=None)
    anchors = ACCEPTANCE if anchor is Anchor.ACCEPTED else {Change.WON}
    return min(
        (it.occurred_at for it in scoped_history.changes if it.change in anchors), default=None
    )


def _with_end(
    clock: Clock, terms: Terms, scoped_history: ScopedHistory, time: RunningTime
) -> Clock:
    """The clock with its end, if it has one: by what happened first, not by what arrived first."""
    changes, ends = scoped_history.changes, scoped_history.ends
    if terms.anchor is Anchor.WON:  # a promise to a customer: nothing before the win ends it
        won = next(index for index, it in enumerate(changes) if it.change is Change.WON)
        changes, ends = changes[won + 1 :], ()
    stop = find_stop(terms.policy, changes)
    end = earliest(ends)
    if stop is not None and (end is None or stop.occurred_at <= end.occurred_at):
        ended_at = max(stop.occurred_at, clock.started_at)
        state, cause = State.LATE if ended_at > clock.due_at else State.MET, stop
    elif end is not None:
        ended_at = max(end.occurred_at, clock.started_at)
        state, cause = State.CANCELLED, end
    else:
        return clock
    return clock._replace(
        state=state,
        ended_at=ended_at,
        ended_by=cause.change.value,
        reported_at=cause.recorded_at,
        spent=time.spent(ended_at),
        paused_until=None,
    )


def _with_report(clock: Clock, hours: WorkingHours, report_within: timedelta) -> Clock:
    """The clock, marked if it was met and its answer was reported too long afterwards, in working time."""
    if clock.state is not State.MET or clock.ended_at is None or clock.reported_at is None:
        return clock
    delay = hours.elapsed(clock.ended_at, max(clock.ended_at, clock.reported_at))
    return clock._replace(reported_late=delay > report_within)
