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
    PAUSED = "paused"
    """Running otherwise, and so stored: a pause is over when its time has come."""
    MET = "met"
    LATE = "late"
    CANCELLED = "cancelled"


POLICY_ENDED = "policy_ended"
"""What ended a clock whose policy is not in the version of the agreement that ops applied."""


class EscalationStep(NamedTuple):
    """When a step of a ladder is due, before the breach or after it, and who is notified then or what is done."""

    at: datetime
    step: str
    waits: bool = False
    """Whether the message waits for the hours of its receiver."""
    lasts_s: int = 0
    """Of a step that sets the rep unavailable: for how many seconds."""


TEAM, NOBODY = "team", "none"
"""The step of a breach: whether the ladder notifies the team at once, which is no escalation of its own."""


class Clock(NamedTuple):
    """One promise about one handoff. Its breach happens at `due_at`; `detected_at` is when a sweep saw it.

    `ended_at` is when the change that ended it happened, `reported_at` when Leadbaton learned of that change.
    `reported_late` says that the promise was met, and reported later than the agreement's `report_within`.
    `paused_for` is the working time that pauses before its due time take out. While it is paused, `paused_until` is
    when that is over at the latest, which the other instants count on. `sources` is None where the clock was stored by
    a version that did not keep the lead's sources and campaign.

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
    paused_for: timedelta = timedelta(0)
    sources: tuple[str, ...] | None = None
    campaign: str | None = None
    traceparent: str | None = None
    applied_at: datetime | None = None
    """When ops applied the version that it counts by, if it started under another one."""
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    detected_at: datetime | None = None
    retracted_at: datetime | None = None
    escalation_count: int = 0
    paused_until: datetime | None = None

    def state_at(self, now: datetime) -> State:
        """The state, PAUSED among them, at this instant."""
        return self.state if self.paused_until is None or self.paused_until <= now else State.PAUSED

    def is_broken(self, *, now: datetime) -> bool:
        """Whether the promise is broken by now, detected or not: it is kept iff the clock ended by `due_at`."""
        return self.ended_at > self.due_at if self.ended_at is not None else self.due_at <= now

    @property
    def fire_at(self) -> datetime | None:
        """The next instant at which a transition is due, or None if no more will be."""
        if self.state is not State.RUNNING:
            return None
        step = self.next_step
        if self.breached_at is not None:
            return None if step is None else step.at
        warn_at = self.warn_at if self.warned_at is None else self.due_at
        first = min(warn_at, self.due_at, self.due_at if step is None else step.at)
        return first if self.paused_until is None else min(first, self.paused_until)

    @property
    def next_step(self) -> EscalationStep | None:
        """The next step of the ladder, or None after the last."""
        if self.escalation_count < len(self.escalation_steps):
            return self.escalation_steps[self.escalation_count]
        return None


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
    def escalation_step(self) -> EscalationStep | None:
        """The step of the ladder that was taken; None where it is another change, or the breach itself."""
        return self.clock.escalation_steps[self.step_number - 1] if self.step_number else None

    @property
    def id(self) -> str:
        """An id that derives from the cause, so that the same transition always has the same id.

        Where pauses or another version have moved the due time, that is part of the cause: a breach may be retracted,
        and come later.
        """
        suffix = f"/{self.step_number}" if self.step_number else ""
        if self.change is ClockChange.MOVED:
            suffix = f"/{self.clock.agreement_version}"
        is_moved = self.clock.paused_for or self.clock.applied_at is not None
        if is_moved and self.change in _OF_DUE_TIME:
            suffix += f"/{int(self.clock.due_at.timestamp())}"
        return f"{self.clock.id}/{self.change}{suffix}"


_OF_DUE_TIME = frozenset(
    {ClockChange.AT_RISK, ClockChange.BREACHED, ClockChange.RETRACTED, ClockChange.ESCALATED}
)


def fire(clock: Clock, *, now: datetime) -> tuple[Clock, list[Transition]]:
    """The clock after every transition that is due by now: a warning, the breach, and the steps of its ladder.

    A pause that is over ends by itself, which is no transition: the handoff announced its end when it began.

    A clock that is already past its due time is breached without a warning, and without the steps that were due before:
    they would come too late to act on.
    """
    transitions: list[Transition] = []
    while (at := clock.fire_at) is not None and at <= now:
        if clock.paused_until is not None and clock.paused_until <= at:
            clock = clock._replace(paused_until=None)
            continue
        if clock.breached_at is None and clock.due_at <= now:
            clock, transition = breach(clock, now=now)
        elif clock.breached_at is None and clock.warned_at is None and at == clock.warn_at:
            clock, transition = warn(clock, now=now)
        else:
            clock, transition = escalate(clock)
        transitions.append(transition)
    return clock, transitions


def warn(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """The clock at risk: the agreed part of its target has passed."""
    clock = clock._replace(warned_at=now)
    return clock, Transition(clock, ClockChange.AT_RISK, clock.warn_at)


def breach(clock: Clock, *, now: datetime) -> tuple[Clock, Transition]:
    """The clock breached: at its due time, however late that is detected.

    The steps before it are over. Where the first step after it notifies the team at once, the breach is that step.
    """
    before = sum(it.at < clock.due_at for it in clock.escalation_steps)
    clock = clock._replace(
        breached_at=clock.due_at,
        detected_at=now,
        retracted_at=None,
        escalation_count=max(before, clock.escalation_count),
    )
    if clock.next_step != EscalationStep(clock.due_at, TEAM):
        return clock, Transition(clock, ClockChange.BREACHED, clock.due_at, NOBODY)
    clock = clock._replace(escalation_count=clock.escalation_count + 1)
    return clock, Transition(clock, ClockChange.BREACHED, clock.due_at, TEAM)


def escalate(clock: Clock) -> tuple[Clock, Transition]:
    """The clock after its next escalation step."""
    step = clock.escalation_steps[clock.escalation_count]
    clock = clock._replace(escalation_count=clock.escalation_count + 1)
    number = clock.escalation_count
    return clock, Transition(clock, ClockChange.ESCALATED, step.at, step.step, number)
