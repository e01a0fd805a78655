"""A clock: one promise about one handoff, and the transitions that time brings it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.contracts.payloads import ClockChange, Scope
from shared.errors import Rejected


class UnknownClock(Rejected):
    """No clock has this id, or it is another rep's."""

    code = "unknown_clock"
    status = 404


class NotBreached(Rejected):
    """Only a breach can be acknowledged, and this promise is not broken."""

    code = "not_breached"
    status = 409


class State(StrEnum):
    """What became of a clock."""

    RUNNING = "running"
    MET = "met"
    LATE = "late"
    CANCELLED = "cancelled"


class EscalationStep(NamedTuple):
    """When a step is due after a breach, and whose fallback endpoint is notified then."""

    at: datetime
    notify: str


class Clock(NamedTuple):
    """One promise about one handoff. Its breach happens at `due_at`; `detected_at` is when a sweep saw it.

    `ended_at` is when the change that ended it happened, `reported_at` when Leadbaton learned of that change.
    `reported_late` says that the promise was met, and reported later than the agreement's `report_within`.

    The classes here are named tuples because a sweep makes two clocks for each that is due, and a
    dataclass takes eight times as long to make.
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
    ended_at: datetime | None = None
    ended_by: str | None = None
    reported_at: datetime | None = None
    reported_late: bool = False
    spent: timedelta | None = None
    traceparent: str | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    detected_at: datetime | None = None
    retracted_at: datetime | None = None
    escalation_count: int = 0

    def is_broken(self, *, now: datetime) -> bool:
        """Whether the promise is broken by now, detected or not: it is kept iff the clock ended by `due_at`."""
        return self.ended_at > self.due_at if self.ended_at is not None else self.due_at <= now

    @property
    def fire_at(self) -> datetime | None:
        """The next instant at which a transition is due, or None if no more will be."""
        if self.state is not State.RUNNING:
            return None
        if self.breached_at is None:
            return self.due_at if self.warned_at is not None else min(self.warn_at, self.due_at)
        steps = self.escalation_steps[self.escalation_count :]
        return steps[0].at if steps else None


class Acknowledgement(NamedTuple):
    """Ops know of a breach: who acknowledged it, when, and their note. It stays a breach."""

    clock_id: UUID
    acknowledged_at: datetime
    actor: str
    note: str


class Transition(NamedTuple):
    """One change of a clock, to be announced: `occurred_at` is when it happened, whenever it was detected."""

    clock: Clock
    change: ClockChange
    occurred_at: datetime
    step: str | None = None
    step_number: int = 0
    acknowledgement: Acknowledgement | None = None

    @property
    def id(self) -> str:
        """An id that derives from the cause, so that the same transition always has the same id."""
        suffix = f"/{self.step_number}" if self.step_number else ""
        return f"{self.clock.id}/{self.change}{suffix}"


def fire(clock: Clock, *, now: datetime) -> tuple[Clock, list[Transition]]:
    """The clock after every transition that is due by now: a warning, or the breach and its escalation steps.

    A clock that is already past its due time is breached without a warning: it would come too late to act on.
    """
    transitions: list[Transition] = []
    while (at := clock.fire_at) is not None and at <= now:
        if clock.breached_at is not None:
            clock, transition = escalate(clock)
        elif clock.due_at <= now:
            clock, transition = breach(clock, now=now)
        else:
            clock, transition = warn(clock, now=now)
        transitions.append(transition)
    return clock, transitions


def warn(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """The clock at risk: the agreed part of its target has passed."""
    clock = clock._replace(warned_at=now)
    return clock, Transition(clock, ClockChange.AT_RISK, clock.warn_at)


def breach(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """The clock breached: at its due time, however late that is detected."""
    clock = clock._replace(breached_at=clock.due_at, detected_at=now, retracted_at=None)
    return clock, Transition(clock, ClockChange.BREACHED, clock.due_at)


def escalate(clock: Clock) -> tuple[Clock, Transition]:
    """The clock after its next escalation step."""
    at, notify = clock.escalation_steps[clock.escalation_count]
    clock = clock._replace(escalation_count=clock.escalation_count + 1)
    return clock, Transition(clock, ClockChange.ESCALATED, at, notify, clock.escalation_count)
