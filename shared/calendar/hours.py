"""A calendar's hours by its wall clock: windows by local date, holidays, overrides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays

from shared.agreement.model import Calendar, Weekday
from shared.agreement.model.calendar import Span, span_of
from shared.errors import Rejected

DAY = 86_400


class InvalidCalendar(Rejected):
    """The calendar has an unknown zone, unknown holidays or impossible hours, or is never open."""

    code: ClassVar[str] = "invalid_calendar"


class Hours:
    """A calendar's hours by local date, in seconds of the wall clock since that date's midnight."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = _zone(calendar)
        self._weekly = [_spans(calendar.hours.get(day, ())) for day in Weekday]
        self._overrides = {day: _spans(it.windows) for day, it in calendar.overrides.items()}
        self._open_holidays = {day for day, it in calendar.overrides.items() if it.even_if_holiday}
        self._holidays = _holidays(calendar)
        self._truncates = calendar.holiday_truncates_overnight
        if not any((*self._weekly, *self._overrides.values())):
            raise InvalidCalendar(f"calendar {calendar.id!r} is never open: give a weekday hours")

    def windows(self, day: date) -> tuple[Span, ...]:
        """The windows that start on the date, those that run overnight included."""
        if self._holiday(day) is not None:
            return ()
        planned = self._planned(day)
        if self._truncates and self._holiday(day + timedelta(days=1)) is not None:
            return tuple((opens, min(closes, DAY)) for opens, closes in planned)
        return planned

    def closed_by(self, day: date) -> str | None:
        """The holiday on the date, if the calendar would else have been open; else None."""
        return self._holiday(day) if self._planned(day) else None

    def _planned(self, day: date) -> tuple[Span, ...]:
        return self._overrides.get(day, self._weekly[day.weekday()])

    def _holiday(self, day: date) -> str | None:
        return None if day in self._open_holidays else self._holidays.get(day)


def _spans(windows: tuple[str, ...]) -> tuple[Span, ...]:
    spans = tuple(map(span_of, windows))
    for window, (opens, closes) in zip(windows, spans, strict=True):
        if opens >= closes:
            raise InvalidCalendar(
                f"window {window!r} ends before it starts: write a night shift as 22:00-30:00"
            )
    return spans


def _zone(calendar: Calendar) -> ZoneInfo:
    try:
        return ZoneInfo(calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidCalendar(
            f"calendar {calendar.id!r}: no zone {calendar.zone!r}; write one such as Europe/Berlin"
        ) from None


def _holidays(calendar: Calendar) -> Mapping[date, str]:
    """Public holidays by date; the library computes a year when it is first read."""
    if calendar.holidays is None:
        return {}
    country, _, subdivision = calendar.holidays.partition("-")
    try:
        return country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        raise InvalidCalendar(
            f"calendar {calendar.id!r}: no holidays for {calendar.holidays!r}; "
            "write a country or a subdivision, such as DE or DE-BE"
        ) from None
