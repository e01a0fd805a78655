"""Faults of calendars: zones and holidays that do not exist, windows that never open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from zoneinfo import available_timezones

from holidays import list_supported_countries

from shared.agreement.model import Calendar
from shared.agreement.model.calendar import Span, span_of
from shared.agreement.places import MISTAKEN, country_code, zone_of_city
from shared.agreement.problem import Problem
from shared.documents import Path, nearest
from shared.documents.spelling import closest


def calendar_problems(calendar: Calendar, path: Path) -> Iterator[Problem]:
    """All faults of a calendar."""
    zones = available_timezones()
    if calendar.zone not in zones:
        suggestion = closest(calendar.zone, sorted(zones)) or zone_of_city(calendar.zone)
        hint = (
            f"did you mean `{suggestion}`?"
            if suggestion
            else "write an IANA zone, such as Europe/Berlin"
        )
        yield Problem((*path, "zone"), f"unknown zone `{calendar.zone}`; {hint}")
    yield from _holidays(calendar, (*path, "holidays"))
    for day, windows in calendar.hours.items():
        yield from _windows(windows, (*path, "hours", day.value))
    for on, override in calendar.overrides.items():
        yield from _windows(override.windows, (*path, "overrides", on.isoformat(), "windows"))
    if not any(calendar.hours.values()):
        message = (
            f'`{calendar.id}` is never open; give a weekday hours, such as mon: ["09:00-17:00"]'
        )
        yield Problem((*path, "hours"), message)


def open_in_a_week(calendar: Calendar) -> timedelta:
    """How long the calendar is open in a week without holidays."""
    spans = map(span_of, chain.from_iterable(calendar.hours.values()))
    return timedelta(seconds=sum(max(0, closes - opens) for opens, closes in spans))


def _holidays(calendar: Calendar, path: Path) -> Iterator[Problem]:
    if calendar.holidays is None:
        return
    country, dash, subdivision = calendar.holidays.partition("-")
    known = list_supported_countries()
    if country not in known or country.casefold() in MISTAKEN:
        suggestion = country_code(country)
        hint = f"did you mean `{suggestion}`?" if suggestion else "write an ISO country, such as DE"
        yield Problem(path, f"no holidays known for `{country}`; {hint}")
    elif dash and subdivision not in known[country]:
        hint = nearest(subdivision.upper(), known[country], "its parts are")
        message = f"no part `{subdivision}` of {country}; {hint}"
        yield Problem(path, message, offset=len(country) + 1)


def _windows(windows: Sequence[str], path: Path) -> Iterator[Problem]:
    spans: list[Span] = []
    for index, window in enumerate(windows):
        opens, closes = span_of(window)
        if opens >= closes:
            message = f"`{window}` ends before it starts; write a night shift as 22:00-30:00"
            yield Problem((*path, index), message)
        elif any(opens < end and start < closes for start, end in spans):
            yield Problem((*path, index), f"`{window}` overlaps one before it; make them one")
        spans.append((opens, closes))
