"""A calendar compiled to open intervals, in which instants are found by bisection."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from shared.agreement.model import Calendar
from shared.calendar.closures import InvalidCalendar
from shared.calendar.horizon import (
    MICROSECOND,
    Horizon,
    breaks_between,
    horizon_of,
    instant_of,
    number_of,
)
from shared.calendar.hours import Hours
from shared.documents.limits import LENIENT

_MAX_SPAN = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A date on which the calendar was closed because of a holiday."""

    on: date
    name: str


def compile_calendar(calendar: Calendar) -> CompiledCalendar:
    """The compiled calendar; each calendar is compiled once a process."""
    return _compiled(calendar.model_dump_json(), calendar.kept_holidays)


@cache
def _compiled(source: str, kept_holidays: str) -> CompiledCalendar:
    calendar = Calendar.model_validate_json(source, context=LENIENT)
    return CompiledCalendar(calendar.keep_holidays(kept_holidays))


class CompiledCalendar:
    """A calendar's open intervals over a horizon, which grows when an instant lies outside it.

    Intervals begin and end on whole seconds; instants are exact to the microsecond.
    Raises InvalidCalendar when the calendar is invalid, or does not open within twenty years.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._hours = Hours(calendar)
        self._horizon = Horizon(0, 0, (), (), (0,))

    def is_open(self, at: datetime) -> bool:
        """Whether the calendar is open at this instant."""
        instant = number_of(at)
        horizon = self._around(instant)
        last_started = bisect_right(horizon.starts, instant) - 1
        return last_started >= 0 and instant < horizon.ends[last_started]

    def next_open(self, at: datetime) -> datetime:
        """This instant if the calendar is open, else the start of the next open interval."""
        instant = number_of(at)
        horizon = self._around(instant)
        while (interval := bisect_right(horizon.ends, instant)) == len(horizon.ends):
            horizon = self._extended(horizon, instant)
        start = horizon.starts[interval]
        return at if start <= instant else instant_of(start)

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The earliest instant at which this much open time has passed since `at`, at most twenty years later."""
        if open_time <= timedelta(0):
            return at
        instant = number_of(at)
        horizon = self._around(instant)
        length = open_time // MICROSECOND
        while (total := horizon.open_before(instant) + length) > horizon.sums[-1]:
            if horizon.ends[-1:] > (number_of(at + _MAX_SPAN),):
                return at + _MAX_SPAN
            horizon = self._extended(horizon, instant)
        interval = bisect_left(horizon.sums, total) - 1
        end = instant_of(horizon.starts[interval] + total - horizon.sums[interval])
        return min(end, at + _MAX_SPAN)

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The open time between two instants; zero if the second is not the later one."""
        first, last = number_of(since), number_of(until)
        if last <= first:
            return timedelta(0)
        horizon = self._around(first, last)
        return timedelta(microseconds=horizon.open_before(last) - horizon.open_before(first))

    def open_intervals(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals between two instants, in order; `elapsed` is their sum. None if `until` is not later."""
        if until <= since:
            return []
        first, last = number_of(since), number_of(until)
        horizon = self._around(first, last)
        spans = zip(horizon.starts, horizon.ends, strict=True)
        return [
            (instant_of(max(start, first)), instant_of(min(end, last)))
            for start, end in spans
            if start < last and end > first
        ]

    def local_date(self, at: datetime) -> date:
        """The date at this instant in the calendar's time zone."""
        return at.astimezone(self._hours.zone).date()

    def holiday_on(self, day: date) -> str | None:
        """The name of the holiday on the date, or None; the calendar may be open all the same."""
        return self._hours.holiday_on(day)

    def skipped_holidays(self, since: datetime, until: datetime) -> list[Skipped]:
        """The holidays between two instants on which the calendar would else have been open."""
        first, last = self.local_date(since), self.local_date(until)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        names = ((day, self._hours.closed_by(day)) for day in days)
        return [Skipped(day, name) for day, name in names if name is not None]

    def skipped_breaks(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The breaks between two instants in which the calendar would else have been open, in order."""
        return breaks_between(self._hours, since, until) if since < until else []

    def _around(self, first: int, last: int | None = None) -> Horizon:
        """A horizon that holds both instants, with room on both sides."""
        horizon = self._horizon
        last = first if last is None else last
        if horizon.since <= first and last < horizon.until:
            return horizon
        since, until = _new_year(first, -1), _new_year(last, 2)
        if horizon.since < horizon.until:
            since = min(since, instant_of(horizon.since))
            until = max(until, instant_of(horizon.until))
        return self._keep(since, until)

    def _extended(self, horizon: Horizon, instant: int) -> Horizon:
        """The horizon, reaching twice as far beyond the instant."""
        end, at = instant_of(horizon.until), instant_of(instant)
        last_open = max((instant, *horizon.ends[-1:]))
        if end - instant_of(last_open) > _MAX_SPAN:
            raise InvalidCalendar(
                f"calendar {self.calendar.id!r} does not open within twenty years of {at:%Y-%m-%d}:"
                " give a weekday hours"
            )
        return self._keep(instant_of(horizon.since), end + (end - at))

    def _keep(self, since: datetime, until: datetime) -> Horizon:
        self._horizon = horizon_of(self._hours, since, until)
        return self._horizon


def _new_year(number: int, years: int) -> datetime:
    return datetime(instant_of(number).year + years, 1, 1, tzinfo=UTC)
