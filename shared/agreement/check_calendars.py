"""Faults of calendars: zones and holidays that do not exist, windows that never open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import available_timezones

from holidays import list_supported_countries

from shared.agreement.model import Calendar, Weekday
from shared.agreement.model.calendar import Span, span_of
from shared.agreement.places import MISTAKEN, country_code, zone_of_city
from shared.agreement.problem import Problem
from shared.documents import Path, nearest
from shared.documents.spelling import closest

MAX_HOLIDAY_SETS = 100
"""So many sets of holidays may the calendars of an agreement name."""
_WEEK = 7 * 1440
_BREAK_AT_NIGHT = "a break at night as 26:00-26:30"


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
    yield from _breaks(calendar, path)
    yield from _never_open(calendar, path)


def holiday_set_problems(calendars: Sequence[Calendar], path: Path) -> Iterator[Problem]:
    """The first holiday set beyond those that an agreement may name; the dates of each are kept with a version."""
    known: set[str] = set()
    for at, calendar in enumerate(calendars):
        for index, name in enumerate(calendar.holidays):
            known.add(name)
            if len(known) > MAX_HOLIDAY_SETS:
                message = f"more than {MAX_HOLIDAY_SETS} sets of holidays in all; name fewer"
                yield Problem((*path, at, "holidays", index), message)
                return


def open_in_a_week(calendar: Calendar) -> timedelta:
    """How long the calendar is open in a week without holidays."""
    open_minutes = _minutes_of_week(calendar.hours) - _minutes_of_week(calendar.breaks)
    return timedelta(minutes=len(open_minutes))


def _minutes_of_week(spans: Mapping[Weekday, Sequence[str]]) -> set[int]:
    """The minutes since the week began that the spans cover; those of a Sunday may run into the next Monday."""
    return {
        (number * 1440 + minute) % _WEEK
        for number, day in enumerate(Weekday)
        for minute in _minutes(spans.get(day, ()))
    }


def _minutes(spans: Sequence[str]) -> set[int]:
    """The minutes since midnight that the spans cover."""
    return {
        minute
        for opens, closes in map(span_of, spans)
        for minute in range(opens // 60, closes // 60)
    }


def _never_open(calendar: Calendar, path: Path) -> Iterator[Problem]:
    if not any(calendar.hours.values()):
        message = (
            f'`{calendar.id}` is never open; give a weekday hours, such as mon: ["09:00-17:00"]'
        )
        yield Problem((*path, "hours"), message)
    elif calendar.breaks and not open_in_a_week(calendar):
        message = f"`{calendar.id}` is never open: its breaks cover all its hours; shorten them"
        yield Problem((*path, "breaks"), message)


def _breaks(calendar: Calendar, path: Path) -> Iterator[Problem]:
    """Breaks that are no spans, overlap, or interrupt nothing."""
    open_minutes = _minutes_of_week(calendar.hours)
    with_other_hours = {Weekday.of(day) for day, it in calendar.overrides.items() if it.windows}
    for day, breaks in calendar.breaks.items():
        day_path = (*path, "breaks", day.value)
        yield from _windows(breaks, day_path, example=_BREAK_AT_NIGHT)
        for index, span in enumerate(breaks):
            minutes = _minutes_of_week({day: [span]})
            if minutes and not minutes & open_minutes and day not in with_other_hours:
                yield _idle((*day_path, index), span, day.value)
    for on, override in calendar.overrides.items():
        day_path = (*path, "overrides", on.isoformat(), "breaks")
        yield from _windows(override.breaks or (), day_path, example=_BREAK_AT_NIGHT)
        open_minutes = _minutes_of_date(calendar, on)
        for index, span in enumerate(override.breaks or ()):
            minutes = _minutes([span])
            if minutes and not minutes & open_minutes:
                yield _idle((*day_path, index), span, on.isoformat())


def _minutes_of_date(calendar: Calendar, on: date) -> set[int]:
    """The minutes since midnight in which a date is open, and the night after it; breaks are not taken out."""
    minutes: set[int] = set()
    for days in (-1, 0, 1):
        day = on + timedelta(days=days)
        override = calendar.overrides.get(day)
        windows = calendar.hours.get(Weekday.of(day), ()) if override is None else override.windows
        minutes |= {minute + days * 1440 for minute in _minutes(windows)}
    return minutes


def _idle(path: Path, span: str, day: str) -> Problem:
    message = f"`{span}` is outside the hours of {day}, so it takes nothing out of them; delete it"
    return Problem(path, message)


def _holidays(calendar: Calendar, path: Path) -> Iterator[Problem]:
    known = list_supported_countries()
    for index, name in enumerate(calendar.holidays):
        country, dash, subdivision = name.partition("-")
        if country not in known or country.casefold() in MISTAKEN:
            suggestion = country_code(country)
            hint = (
                f"did you mean `{suggestion}`?"
                if suggestion
                else "write an ISO country, such as DE"
            )
            yield Problem((*path, index), f"no holidays known for `{country}`; {hint}")
        elif dash and subdivision not in known[country]:
            hint = nearest(subdivision.upper(), known[country], "its parts are")
            message = f"no part `{subdivision}` of {country}; {hint}"
            yield Problem((*path, index), message, offset=len(country) + 1)
        elif name in calendar.holidays[:index]:
            yield Problem((*path, index), f"`{name}` is in the list already; delete it")


def _windows(
    windows: Sequence[str], path: Path, *, example: str = "a night shift as 22:00-30:00"
) -> Iterator[Problem]:
    spans: list[Span] = []
    for index, window in enumerate(windows):
        opens, closes = span_of(window)
        if opens >= closes:
            yield Problem((*path, index), f"`{window}` ends before it starts; write {example}")
        elif any(opens < end and start < closes for start, end in spans):
            yield Problem((*path, index), f"`{window}` overlaps one before it; make them one")
        spans.append((opens, closes))
