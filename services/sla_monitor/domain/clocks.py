"""A clock: one promise about one handoff, what fires on it, and what is said when it does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.contracts.payloads import ClockChange, Scope


class State(StrEnum):
    """What became of a clock."""

    RUNNING = "running"
    MET = "met"
    LATE = "late"
    CANCELLED = "cancelled"


class EscalationStep(NamedTuple):
    """A step of the ladder: when it is taken, and whose fallback is told."""

    at: datetime
    notify: str


class End(NamedTuple):
    """What stopped or ended a clock: when it happened, which change it was, business time until then."""

    at: datetime
    by: str
    spent: timedelta


class Clock(NamedTuple):
    """One promise about one handoff. A breach happens at `due_at`; `detected_at` is when we saw it.

    A named tuple, as all in here: a sweep makes two of a clock, and a dataclass takes eight times as long.
    """

    id: UUID
    handoff_id: UUID
    lead_id: UUID
    hop: int
    policy: str
    kind: str
    team: str
    rep: str | None
    tier: str
    lead_name: str | None
    calendar: str
    agreement_version: int
    target: timedelta
    started_at: datetime
    warn_at: datetime
    due_at: datetime
    due_on: date
    scope: Scope
    escalation_steps: tuple[EscalationStep, ...]
    state: State = State.RUNNING
    end: End | None = None
    traceparent: str | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    detected_at: datetime | None = None
    retracted_at: datetime | None = None
    escalation_count: int = 0

    def broken_by(self, now: datetime) -> bool:
        """Whether the promise is broken by then, found or not: kept iff ended at or before `due_at`."""
        return self.end.at > self.due_at if self.end is not None else self.due_at <= now

    @property
    def fire_at(self) -> datetime | None:
        """The next instant at which something is due on it."""
        if self.state is not State.RUNNING:
            return None
        if self.breached_at is None:
            return self.due_at if self.warned_at is not None else min(self.warn_at, self.due_at)
        rest = self.escalation_steps[self.escalation_count :]
        return rest[0].at if rest else None


class Transition(NamedTuple):
    """A step in a clock's life, for others to hear."""

    clock: Clock
    change: ClockChange
    occurred_at: datetime
    step: str | None = None
    number: int = 0

    @property
    def id(self) -> str:
        """Derives from the cause, so that the same step is said under the same id."""
        nth = f"/{self.number}" if self.number else ""
        return f"{self.clock.id}/{self.change}{nth}"


def fire(clock: Clock, *, now: datetime) -> tuple[Clock, list[Transition]]:
    """Everything that is due on a running clock by now: a warning, or the breach and its ladder.

    A clock found past its due time is breached without a warning: nobody can act on one any more.
    """
    said: list[Transition] = []
    while (at := clock.fire_at) is not None and at <= now:
        clock, step = _step(clock, now=now)
        said.append(step)
    return clock, said


def _step(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    if clock.breached_at is not None:
        return escalate(clock)
    if clock.due_at <= now:
        return breach(clock, now=now)
    return warn(clock, now=now)


def warn(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """Part of the target is gone; said once."""
    warned = clock._replace(warned_at=now)
    return warned, Transition(warned, ClockChange.AT_RISK, clock.warn_at)


def breach(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """The promise was broken when it was due, however late that was found."""
    broken = clock._replace(breached_at=clock.due_at, detected_at=now, retracted_at=None)
    return broken, Transition(broken, ClockChange.BREACHED, clock.due_at)


def escalate(clock: Clock) -> tuple[Clock, Transition]:
    """The next step of the ladder."""
    step = clock.escalation_steps[clock.escalation_count]
    taken = clock._replace(escalation_count=clock.escalation_count + 1)
    return taken, Transition(
        taken, ClockChange.ESCALATED, step.at, step.notify, taken.escalation_count
    )
