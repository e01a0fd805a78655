"""A calendar's hours by its wall clock: windows and breaks by local date, holidays, overrides."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.agreement.model import Calendar, Weekday
from shared.agreement.model.calendar import Span, span_of
from shared.calendar.closures import Closures, InvalidCalendar

DAY = 86_400


class Hours:
    """A calendar's hours by local date, in seconds of the wall clock since that date's midnight."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = _zone(calendar)
        self._weekly = [_spans(calendar.hours.get(day, ())) for day in Weekday]
        self._weekly_breaks = [_spans(calendar.breaks.get(day, ())) for day in Weekday]
        self._overrides = {day: _spans(it.windows) for day, it in calendar.overrides.items()}
        self._own_breaks = {
            day: _spans(it.breaks)
            for day, it in calendar.overrides.items()
            if it.breaks is not None
        }
        self._open_holidays = {day for day, it in calendar.overrides.items() if it.even_if_holiday}
        self._closures = Closures(calendar)
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

    def breaks(self, day: date) -> tuple[Span, ...]:
        """The breaks that start on the date. They interrupt each window, also one of the date before."""
        return self._own_breaks.get(day, self._weekly_breaks[day.weekday()])

    def holiday_on(self, day: date) -> str | None:
        """The name of the holiday on the date, or None."""
        return self._closures.name(day)

    def closed_by(self, day: date) -> str | None:
        """The holiday on the date, if the calendar would else have been open; else None."""
        return self._holiday(day) if self._planned(day) else None

    def _planned(self, day: date) -> tuple[Span, ...]:
        return self._overrides.get(day, self._weekly[day.weekday()])

    def _holiday(self, day: date) -> str | None:
        return None if day in self._open_holidays else self._closures.name(day)


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
