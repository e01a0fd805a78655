"""What news of a handoff does to its clocks: the difference between what was and what is now known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla_monitor.domain.clocks import Clock, State, Transition, breach
from shared.contracts.payloads import ClockChange


@dataclass(frozen=True, slots=True)
class Settled:
    """A clock before and after the news, and what is said about it; `after` is None if it never was."""

    before: Clock | None
    after: Clock | None
    said: tuple[Transition, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether there is anything to save."""
        return self.before != self.after


def settle(known: Sequence[Clock], derived: Sequence[Clock], *, now: datetime) -> list[Settled]:
    """Bring the clocks we have to what the handoff's changes say.

    An end is judged by when it happened: an answer in time takes back a breach that was announced,
    an answer too late makes the breach that no sweep has seen yet.
    """
    have = {clock.id: clock for clock in known}
    settled = [_settled(have.pop(clock.id, None), clock, now=now) for clock in derived]
    settled += [_withdrawn(clock, now=now) for clock in have.values()]
    return [it for it in settled if it.moved]


def _settled(before: Clock | None, derived: Clock, *, now: datetime) -> Settled:
    if before is None:
        after, said = _judged(derived, now=now)
        return Settled(
            None, after, (Transition(after, ClockChange.STARTED, after.started_at), *said)
        )
    after, said = _judged(_with_findings(derived, before), now=now)
    if before.state is after.state is State.MET:
        said = []
    return Settled(before, after, tuple(said))


def _with_findings(derived: Clock, before: Clock) -> Clock:
    """What the changes say, with what sweeps have found and said."""
    return derived._replace(
        warned_at=before.warned_at,
        breached_at=before.breached_at and derived.due_at,
        detected_at=before.detected_at,
        retracted_at=before.retracted_at,
        escalation_count=before.escalation_count,
        traceparent=derived.traceparent or before.traceparent,
    )


def _judged(clock: Clock, *, now: datetime) -> tuple[Clock, list[Transition]]:
    """The clock with the breach that its end makes, or without the one that its end takes back."""
    said: list[Transition] = []
    if clock.breached_at is not None and not clock.broken_by(now):
        clock = clock._replace(breached_at=None, retracted_at=now, escalation_count=0)
        said.append(Transition(clock, ClockChange.RETRACTED, now))
    if clock.breached_at is None and clock.end is not None and clock.broken_by(now):
        clock, breached = breach(clock, now=now)
        said.append(breached)
    if clock.end is not None and clock.state is State.MET:
        said.append(Transition(clock, ClockChange.MET, clock.end.at))
    return clock, said


def _withdrawn(clock: Clock, *, now: datetime) -> Settled:
    """A clock that a change, now that we have it, says there never was."""
    if clock.breached_at is None:
        return Settled(clock, None)
    return Settled(clock, None, (Transition(clock, ClockChange.RETRACTED, now),))
