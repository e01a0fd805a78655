"""Dates on which a calendar is closed: its own holidays and public ones, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from holidays import HolidayBase

from shared.agreement.holidays import holidays_of
from shared.agreement.model import Calendar
from shared.errors import Rejected


class InvalidCalendar(Rejected):
    """The calendar has an unknown zone, unknown holidays or impossible hours, or is never open."""

    code: ClassVar[str] = "invalid_calendar"


class Closures:
    """The holidays of a calendar: its own, then those of each of its sets in order.

    In the years that were kept with the version of the agreement a set has what was kept, in others what the
    installed package has.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._own = calendar.own_holidays
        kept = json.loads(calendar.kept_holidays or "{}")
        self._sets = [_HolidaySet(calendar.id, it, kept.get(it)) for it in calendar.holidays]

    def name(self, day: date) -> str | None:
        """The name of the holiday on the date, or None."""
        if day in self._own:
            return self._own[day]
        names = (it.name(day) for it in self._sets)
        return next((it for it in names if it is not None), None)


class _HolidaySet:
    """The public holidays of one country or subdivision."""

    def __init__(self, calendar: str, name: str, kept: Mapping[str, Any] | None) -> None:
        self._calendar, self._name = calendar, name
        self._kept_years = range(kept["first_year"], kept["last_year"] + 1) if kept else range(0)
        days = kept["days"] if kept else {}
        self._kept = {date.fromisoformat(day): label for day, label in days.items()}
        self._installed = None if kept else self._load()

    def name(self, day: date) -> str | None:
        """The name of the holiday on the date, or None."""
        if day.year in self._kept_years:
            return self._kept.get(day)
        if self._installed is None:
            self._installed = self._load()
        return self._installed.get(day)

    def _load(self) -> HolidayBase:
        try:
            return holidays_of(self._name)
        except NotImplementedError:
            raise InvalidCalendar(
                f"calendar {self._calendar!r}: no holidays for {self._name!r}; "
                "write a country or a subdivision, such as DE or DE-BE"
            ) from None
