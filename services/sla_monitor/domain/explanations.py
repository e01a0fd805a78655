"""The explanation of a clock: every interval that it counted until it was due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sla_monitor.domain.clocks import Clock
from shared.calendar import CompiledCalendar, Skipped


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of working hours that counted."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """The length of the interval."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock's time: the intervals up to `due_at` add up to the target."""

    clock: Clock
    zone: str
    intervals: tuple[Interval, ...]
    skipped: tuple[Skipped, ...]
    spent: timedelta
    overdue: timedelta


def explain(clock: Clock, calendar: CompiledCalendar, *, now: datetime) -> Explanation:
    """Count the clock's time again, from its start to its due time, in the calendar that it runs by."""
    counted = calendar.open_intervals(clock.started_at, clock.due_at)
    until = clock.ended_at or now
    return Explanation(
        clock=clock,
        zone=calendar.calendar.zone,
        intervals=tuple(Interval(start, end) for start, end in counted),
        skipped=tuple(calendar.skipped_holidays(clock.started_at, clock.due_at)),
        spent=calendar.elapsed(clock.started_at, until),
        overdue=calendar.elapsed(clock.due_at, until),
    )
