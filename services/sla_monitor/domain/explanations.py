"""Why a clock is due when it is: every interval that counted, so that a person can check it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sla_monitor.domain.clocks import Clock
from shared.calendar import CompiledCalendar, Skipped


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of open hours that counted."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock's time, added up: the intervals up to `due_at` make the target."""

    clock: Clock
    zone: str
    intervals: tuple[Interval, ...]
    skipped: tuple[Skipped, ...]
    spent: timedelta
    overdue: timedelta


def explain(clock: Clock, calendar: CompiledCalendar, *, now: datetime) -> Explanation:
    """Add the clock's time up again, from its start to its due time, in its own calendar."""
    counted = calendar.open_intervals(clock.started_at, clock.due_at)
    until = clock.end.at if clock.end is not None else now
    return Explanation(
        clock=clock,
        zone=calendar.calendar.zone,
        intervals=tuple(Interval(since, until) for since, until in counted),
        skipped=tuple(calendar.skipped_holidays(clock.started_at, clock.due_at)),
        spent=calendar.elapsed(clock.started_at, until),
        overdue=calendar.elapsed(clock.due_at, until),
    )
