"""A handoff's clocks, derived from the set of its changes: the order in which changes arrive does not matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.histories import ScopedHistory, scoped_histories
from services.sla_monitor.domain.ladder import escalation_steps
from services.sla_monitor.domain.pauses import clock_pauses
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.stops import ACCEPTANCE, earliest, find_stop
from shared.agreement.model import Anchor, Policy
from shared.calendar import CompiledCalendar
from shared.calendar.pauses import Pause
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
    *,
    traceparent: str | None = None,
) -> list[Clock]:
    """Every clock of a handoff, without what sweeps and earlier announcements have added to it.

    `history` is in the order of `sequence`, each change once; changes that are missing in it change
    the result when they arrive. `policies` holds each agreement version that the history names.
    """
    clocks: list[Clock] = []
    for scoped_history in scoped_histories(history):
        first, sla_policy = scoped_history.first, policies[scoped_history.first.agreement_version]
        for policy in sla_policy.promises(scoped_history.scope, first):
            pauses = clock_pauses(scoped_history, policy.kind, policies)
            clock = _clock(policy, scoped_history, sla_policy, pauses)
            if clock is not None:
                clocks.append(clock._replace(traceparent=traceparent))
    return clocks


def _clock(
    policy: Policy, scoped_history: ScopedHistory, sla_policy: SlaPolicy, pauses: Sequence[Pause]
) -> Clock | None:
    """The policy's clock on this part of the history, or None while its anchor has not happened."""
    started_at = _find_start(policy.anchor, scoped_history)
    if started_at is None:
        return None
    first = scoped_history.first
    calendar = sla_policy.calendar(
        first.team, first.calendar if scoped_history.scope is Scope.HOP else None
    )
    time = RunningTime(calendar, started_at, pauses)
    due_at = time.end(policy.target, roll_to_next_open=policy.roll_to_next_open)
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
        calendar=calendar.calendar.id,
        agreement_version=sla_policy.version,
        target=policy.target,
        started_at=started_at,
        warn_at=time.end(policy.warn_after),
        due_at=due_at,
        due_on=calendar.local_date(due_at),
        escalation_steps=escalation_steps(policy, time, due_at),
        paused_for=time.paused_for,
        paused_until=time.pauses[-1].until if time.pauses else None,
    )
    ended = _with_end(_with_sources(clock, first), policy, scoped_history, time)
    return _with_report(ended, calendar, sla_policy.agreement.sla.report_within)


def _with_sources(clock: Clock, first: HandoffChanged) -> Clock:
    """The clock with where its lead came from, as much of it as is kept."""
    return clock._replace(
        sources=tuple(it[:MAX_CHARACTERS] for it in first.sources[:MAX_SOURCES]),
        campaign=first.campaign[:MAX_CHARACTERS] if first.campaign else None,
    )


def _find_start(anchor: Anchor, scoped_history: ScopedHistory) -> datetime | None:
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
    clock: Clock, policy: Policy, scoped_history: ScopedHistory, time: RunningTime
) -> Clock:
    """The clock with its end, if it has one: by what happened first, not by what arrived first."""
    changes, ends = scoped_history.changes, scoped_history.ends
    if policy.anchor is Anchor.WON:  # a promise to a customer: nothing before the win ends it
        won = next(index for index, it in enumerate(changes) if it.change is Change.WON)
        changes, ends = changes[won + 1 :], ()
    stop = find_stop(policy, changes)
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


def _with_report(clock: Clock, calendar: CompiledCalendar, report_within: timedelta) -> Clock:
    """The clock, marked if it was met and its answer was reported too long afterwards, in working time."""
    if clock.state is not State.MET or clock.ended_at is None or clock.reported_at is None:
        return clock
    delay = calendar.elapsed(clock.ended_at, max(clock.ended_at, clock.reported_at))
    return clock._replace(reported_late=delay > report_within)
