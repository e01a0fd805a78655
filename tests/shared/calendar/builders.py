"""Calendars for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.agreement.model import Calendar
from shared.calendar import CompiledCalendar, compile_calendar

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS = WEEK[:5]
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def calendar(
    hours: Mapping[str, Sequence[str]] | None = None, *, zone: str = "UTC", **more: Any
) -> Calendar:
    """A calendar, by default of nine to five on workdays."""
    usual = {day: ["09:00-17:00"] for day in WORKDAYS}
    return Calendar.model_validate(
        {"id": "office", "zone": zone, "hours": usual if hours is None else hours, **more}
    )


def every_day(*windows: str, zone: str = "UTC", **more: Any) -> CompiledCalendar:
    """The same windows on each day of the week."""
    return compile_calendar(calendar(dict.fromkeys(WEEK, windows), zone=zone, **more))


def at(text: str, zone: str = "UTC") -> datetime:
    """The instant at which the wall clock of the zone shows this text."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
