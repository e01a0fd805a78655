"""Pictures of a calendar's month in the terminal: a bar of 24 hours for each date, and why a date is closed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.cli.output import plain_table
from shared.calendar import CompiledCalendar
from shared.terminal import Terminal

WIDE = 110
"""From so many columns on a character stands for half an hour, else for an hour."""
OPEN, PARTLY, CLOSED = "█", "▒", "·"


@dataclass(frozen=True, slots=True)
class Day:
    """A date of a calendar: its working hours in the calendar's zone, and the holiday on it, if there is one."""

    on: date
    intervals: list[tuple[datetime, datetime]]
    holiday: str | None
    has_own_hours: bool

    @property
    def open_time(self) -> timedelta:
        """The working time of the date."""
        return sum((until - since for since, until in self.utc_intervals), timedelta(0))

    @property
    def utc_intervals(self) -> list[tuple[datetime, datetime]]:
        """The working hours in UTC, in which differences are real time."""
        return [(since.astimezone(UTC), until.astimezone(UTC)) for since, until in self.intervals]


@dataclass(frozen=True, slots=True)
class Month:
    """The dates of a month in a calendar."""

    calendar: CompiledCalendar
    days: list[Day]

    @property
    def open_time(self) -> timedelta:
        """The working time of the month."""
        return sum((it.open_time for it in self.days), timedelta(0))


def month_of(calendar: CompiledCalendar, first: date) -> Month:
    """The month that begins on this date."""
    zone = ZoneInfo(calendar.calendar.zone)
    days = []
    day = first
    while day.month == first.month:
        midnight, next_midnight = (
            datetime(it.year, it.month, it.day, tzinfo=zone).astimezone(UTC)
            for it in (day, day + timedelta(days=1))
        )
        intervals = [
            (since.astimezone(zone), until.astimezone(zone))
            for since, until in calendar.open_intervals(midnight, next_midnight)
        ]
        has_own_hours = day in calendar.calendar.overrides
        days.append(Day(day, intervals, calendar.holiday_on(day), has_own_hours))
        day += timedelta(days=1)
    return Month(calendar, days)


def print_month(month: Month, version: str) -> None:
    """Print a row for each date, its title, and the sum."""
    terminal = Terminal()
    slot = 30 if terminal.width >= WIDE else 60
    rules = month.calendar.calendar
    terminal.print(f"{month.days[0].on:%B %Y}, {rules.id} ({rules.zone}), {version}")
    table = plain_table(
        "Date", _scale(slot), "Open", "Hours", unbroken=["Date", "Open", _scale(slot)]
    )
    for day in month.days:
        table.add_row(f"{day.on:%a %d %b}", _bar(day, slot), _hours(day.open_time), _text(day))
    terminal.print(table)
    open_days = sum(1 for it in month.days if it.intervals)
    terminal.print(f"{_hours(month.open_time)} on {open_days} days")


def _scale(slot: int) -> str:
    """The hours above the bars."""
    width = 6 * 60 // slot
    return "".join(f"{hour:02}".ljust(width) for hour in (0, 6, 12, 18))


def _bar(day: Day, slot: int) -> str:
    """A character for each slot of the wall clock: open, partly open, closed."""
    minutes: Counter[int] = Counter()
    zone = day.intervals[0][0].tzinfo if day.intervals else UTC
    for since, until in day.utc_intervals:
        for minute in range((until - since) // timedelta(minutes=1)):
            wall = (since + timedelta(minutes=minute)).astimezone(zone)
            minutes[(wall.hour * 60 + wall.minute) // slot] += 1
    return "".join(
        OPEN if minutes[it] >= slot else PARTLY if minutes[it] else CLOSED
        for it in range(24 * 60 // slot)
    )


def _text(day: Day) -> str:
    """The hours of the date, its holiday, and whether the agreement names this date."""
    hours = ", ".join(f"{since:%H:%M}-{_end(day, until)}" for since, until in day.intervals)
    own = "own hours" if day.has_own_hours and not (day.holiday and not hours) else ""
    return "; ".join(filter(None, [hours or "closed", day.holiday or "", own]))


def _end(day: Day, until: datetime) -> str:
    """The end of an interval, 24:00 for midnight."""
    return "24:00" if until.date() > day.on else f"{until:%H:%M}"


def _hours(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    if not minutes:
        return ""
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
