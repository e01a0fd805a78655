"""A second, slow implementation of the rules of calendars: each date painted second by second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import holidays

from shared.agreement.model import Calendar, Weekday

DAY = 24 * 3600


class Oracle:
    """Whether a calendar is open at an instant, by what its wall clock shows then and nothing else."""

    def __init__(self, rules: Calendar) -> None:
        self._rules = rules
        self._zone = ZoneInfo(rules.zone)
        self._painted: dict[date, bytearray] = {}

    def is_open(self, second: int) -> bool:
        """Whether the wall clock is inside a window of its date or of the date before, and in no break."""
        wall = datetime.fromtimestamp(second, self._zone)
        day = wall.date()
        if day not in self._painted:
            self._painted[day] = self._paint(day)
        return bool(self._painted[day][wall.hour * 3600 + wall.minute * 60 + wall.second])

    def _paint(self, day: date) -> bytearray:
        yesterday = day - timedelta(days=1)
        two_days = bytearray(2 * DAY)
        tail_cut = self._rules.holiday_truncates_overnight and self._is_closed(day)
        if not self._is_closed(yesterday):
            fill(two_days, self._windows(yesterday), 1)
        if tail_cut:
            two_days[DAY:] = bytes(DAY)
        today = bytearray(2 * DAY)
        if not self._is_closed(day):
            fill(today, self._windows(day), 1)
        either = bytearray(a | b for a, b in zip(two_days[DAY:], today[:DAY], strict=True))
        for breaks, offset in ((self._breaks(yesterday), -DAY), (self._breaks(day), 0)):
            fill(either, breaks, 0, offset)
        return either

    def _is_closed(self, day: date) -> bool:
        override = self._rules.overrides.get(day)
        if override is not None and override.even_if_holiday:
            return False
        return day in self._rules.own_holidays or any(day in it for it in self._sets)

    @cached_property
    def _sets(self) -> list[holidays.HolidayBase]:
        names = (name.partition("-") for name in self._rules.holidays)
        return [holidays.country_holidays(country, subdiv=it or None) for country, _, it in names]

    def _windows(self, day: date) -> Sequence[str]:
        override = self._rules.overrides.get(day)
        return self._rules.hours.get(weekday(day), ()) if override is None else override.windows

    def _breaks(self, day: date) -> Sequence[str]:
        override = self._rules.overrides.get(day)
        own = None if override is None else override.breaks
        return self._rules.breaks.get(weekday(day), ()) if own is None else own


def weekday(day: date) -> Weekday:
    """The weekday of the date, as calendars name it."""
    return Weekday(day.strftime("%a").lower())


def fill(seconds: bytearray, spans: Sequence[str], value: int, offset: int = 0) -> None:
    """Set every second of the spans to the value."""
    for span in spans:
        first, last = (int(it[:2]) * 3600 + int(it[3:]) * 60 + offset for it in span.split("-"))
        first, last = max(first, 0), min(last, len(seconds))
        if first < last:
            seconds[first:last] = bytes([value]) * (last - first)


def transitions(zone: str, since: datetime, until: datetime) -> list[int]:
    """The seconds at which the zone's offset from UTC changes, found hour by hour and then second by second."""
    tz = ZoneInfo(zone)
    hours = range(int(since.timestamp()), int(until.timestamp()), 3600)
    return [
        next(it for it in range(hour, hour + 3601) if _offset(tz, it) != _offset(tz, hour))
        for hour in hours
        if _offset(tz, hour) != _offset(tz, hour + 3600)
    ]


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
