"""Explanations of clocks: every interval that was counted until the due time, and the outcome in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sla_monitor.domain.clocks import Clock
from shared.calendar import Skipped, WorkingHours
from shared.calendar.pauses import Pause
from shared.calendar.running_time import RunningTime

MAX_INTERVALS = 400
"""So many intervals after the due time are explained: more than a year of days."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of working hours."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """The length of the interval."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class ExplainedPause:
    """A pause before the due time, and the working time that it takes out."""

    pause: Pause
    length: timedelta


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock's time: the intervals up to `due_at` add up to the target; the overdue ones follow until it ended."""

    clock: Clock
    zone: str
    intervals: tuple[Interval, ...]
    overdue_intervals: tuple[Interval, ...]
    skipped: tuple[Skipped, ...]
    spent: timedelta
    overdue: timedelta
    pauses: tuple[ExplainedPause, ...]


def explain(
    clock: Clock, calendar: WorkingHours, pauses: Sequence[Pause] = (), *, now: datetime
) -> Explanation:
    """Count the clock's time again, from its start to its due time, in the calendar that it runs by, without pauses."""
    time = RunningTime(calendar, clock.started_at, pauses).before(clock.due_at)
    counted = time.intervals(clock.due_at)
    until = clock.ended_at or now
    overdue = calendar.open_intervals(clock.due_at, until)
    return Explanation(
        clock=clock,
        zone=calendar.calendar.zone,
        intervals=tuple(Interval(start, end) for start, end in counted),
        overdue_intervals=tuple(Interval(start, end) for start, end in overdue[:MAX_INTERVALS]),
        skipped=tuple(calendar.skipped_holidays(clock.started_at, max(clock.due_at, until))),
        spent=time.spent(until),
        overdue=calendar.elapsed(clock.due_at, until),
        pauses=tuple(ExplainedPause(it, time.paused(it, it.until)) for it in time.pauses),
    )


def outcome(clock: Clock, *, now: datetime) -> str:
    """What became of the promise, in words, and how much later that was reported, such as `met, reported 4 h later`."""
    if clock.ended_at is None:
        return "overdue" if clock.is_broken(now=now) else clock.state_at(now).value
    delay = (clock.reported_at or clock.ended_at) - clock.ended_at
    if delay < timedelta(minutes=1):
        return clock.state.value
    return f"{clock.state.value}, reported {_in_words(delay)} later"


def _in_words(length: timedelta) -> str:
    """The two largest units of a length of time, such as `1 d 2 h`."""
    minutes = int(length.total_seconds() // 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])
