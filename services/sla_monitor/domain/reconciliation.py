"""The stored clocks of a handoff against those that its changes give: what to save, and what to announce."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.sla_monitor.domain.clocks import POLICY_ENDED, Clock, State, Transition, breach
from shared.contracts.payloads import ClockChange


class ClockUpdate(NamedTuple):
    """A clock before and after changes arrived: `before` is None if it is new, `after` if it must go."""

    before: Clock | None
    after: Clock | None
    transitions: tuple[Transition, ...] = ()


def reconcile(
    stored: Sequence[Clock], derived: Sequence[Clock], *, now: datetime
) -> list[ClockUpdate]:
    """The updates that bring a handoff's stored clocks to the derived ones; none where nothing changes.

    A clock is judged by when it ended, not by when that became known: an answer in time retracts a
    breach that was announced, and an answer too late is a breach even if no sweep has detected it.
    """
    before = {clock.id: clock for clock in stored}
    updates = [_update(before.pop(clock.id, None), clock, now=now) for clock in derived]
    updates += [_removal(clock, now=now) for clock in before.values()]
    return [update for update in updates if update.before != update.after]


def _update(before: Clock | None, derived: Clock, *, now: datetime) -> ClockUpdate:
    if before is None:
        after, transitions = _judge(derived, now=now)
        started = Transition(after, ClockChange.STARTED, after.started_at)
        return ClockUpdate(None, after, (started, *transitions))
    after, transitions = _judge(_with_detections(derived, before, now=now), now=now)
    if before.state is after.state is State.MET:  # announced already
        transitions = []
    if _is_met_no_longer(before, after):
        transitions = [Transition(after, ClockChange.RETRACTED, now), *transitions]
    return ClockUpdate(before, after, (*_applications(before, after), *transitions))


def _applications(before: Clock, after: Clock) -> list[Transition]:
    """That a version which ops applied moves the clock, or ends it because its policy has ended."""
    if after.ended_by == POLICY_ENDED and before.ended_by != POLICY_ENDED and after.ended_at:
        return [Transition(after, ClockChange.CANCELLED, after.ended_at)]
    if after.applied_at is not None and after.applied_at != before.applied_at:
        return [Transition(after, ClockChange.MOVED, after.applied_at)]
    return []


def _with_detections(derived: Clock, before: Clock, *, now: datetime) -> Clock:
    """The derived clock with what sweeps have detected on it so far.

    A warning is forgotten where a pause, reported late, or another version has moved it to a later time. Of a ladder
    that another version has moved, the steps before this moment are over.
    """
    escalation_count = before.escalation_count
    if derived.applied_at != before.applied_at and before.breached_at is None:
        over = min(now, derived.due_at)
        escalation_count = sum(it.at < over for it in derived.escalation_steps)
    return derived._replace(
        warned_at=before.warned_at if derived.warn_at <= now or before.breached_at else None,
        breached_at=before.breached_at and derived.due_at,
        detected_at=before.detected_at,
        retracted_at=before.retracted_at,
        escalation_count=escalation_count,
        traceparent=derived.traceparent or before.traceparent,
    )


def _judge(clock: Clock, *, now: datetime) -> tuple[Clock, list[Transition]]:
    """The clock with the breach that its end makes, or without the breach that its end disproves."""
    transitions: list[Transition] = []
    if clock.paused_until is not None and clock.paused_until <= now:
        clock = clock._replace(paused_until=None)
    if clock.breached_at is not None and not clock.is_broken(now=now):
        done = 0 if clock.ended_at else sum(it.at <= now for it in clock.escalation_steps)
        clock = clock._replace(breached_at=None, retracted_at=now, escalation_count=done)
        transitions.append(Transition(clock, ClockChange.RETRACTED, now))
    ended_at = clock.ended_at
    if ended_at is not None and clock.breached_at is None and clock.is_broken(now=now):
        clock, breached = breach(clock, now=now)
        transitions.append(breached)
    if ended_at is not None and clock.state is State.MET:
        transitions.append(Transition(clock, ClockChange.MET, ended_at))
    return clock, transitions


def _is_met_no_longer(before: Clock, after: Clock) -> bool:
    """Whether a promise that was announced as met is neither met nor broken, by a change that arrived late."""
    return before.state is State.MET and after.state is not State.MET and not after.breached_at


def _removal(clock: Clock, *, now: datetime) -> ClockUpdate:
    """The removal of a clock that, by a change that arrived late, never should have started.

    What was announced of it, that it was broken or met, is taken back.
    """
    retracted = Transition(clock, ClockChange.RETRACTED, now)
    is_announced = clock.breached_at is not None or clock.state is State.MET
    return ClockUpdate(clock, None, (retracted,) if is_announced else ())
