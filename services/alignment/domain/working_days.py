"""How many working days of a period have passed, in the calendars of teams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.calendar import CompiledCalendar

DAY = timedelta(days=1)


class WorkingDays(NamedTuple):
    """The working days of a period, and how many of them have passed; of several calendars their mean."""

    passed: float
    total: float

    @property
    def share(self) -> float:
        """The part that has passed, 0 to 1."""
        return self.passed / self.total

    @property
    def share_with_next(self) -> float:
        """The part that will have passed a working day later, at most 1."""
        return min(1.0, (self.passed + 1) / self.total)


def working_days(
    calendars: Sequence[CompiledCalendar], first: date, last: date, at: datetime
) -> WorkingDays:
    """The working days from the first to the last date, and those that have passed at this instant.

    A day has passed when its hours are over. Where no calendar has a working day, all days count, by UTC.
    """
    counts = [_in_calendar(it, first, last, at) for it in calendars]
    counts = [it for it in counts if it.total]
    if not counts:
        days = (last - first).days + 1
        over = (at.astimezone(UTC).date() - first).days
        return WorkingDays(min(max(over, 0), days), days)
    return WorkingDays(
        sum(it.passed for it in counts) / len(counts), sum(it.total for it in counts) / len(counts)
    )


def _in_calendar(calendar: CompiledCalendar, first: date, last: date, at: datetime) -> WorkingDays:
    zone = ZoneInfo(calendar.calendar.zone)
    passed = total = 0
    for number in range((last - first).days + 1):
        since = _midnight(first + number * DAY, zone)
        until = _midnight(first + (number + 1) * DAY, zone)
        if calendar.elapsed(since, until):
            total += 1
            passed += not calendar.elapsed(max(since, at), until)
    return WorkingDays(passed, total)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
