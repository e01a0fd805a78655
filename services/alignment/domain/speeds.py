"""Times between two steps of a handoff, in the business hours of its team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.calendar import CompiledCalendar


class Lap(NamedTuple):
    """Two steps of a handoff of a team."""

    team: str | None
    since: datetime
    until: datetime


def business_times(
    laps: Iterable[Lap], calendars: Mapping[str, CompiledCalendar]
) -> list[timedelta]:
    """The open time of each lap in its team's calendar; laps of teams without a calendar are left out."""
    return [
        calendar.elapsed(it.since, it.until)
        for it in laps
        if (calendar := calendars.get(it.team or "")) is not None
    ]
