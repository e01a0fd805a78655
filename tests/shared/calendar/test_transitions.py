"""Every second around every transition of fifteen zones is compared with stepping second by second."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random

import pytest

from shared.agreement.model import Calendar
from shared.calendar import CompiledCalendar
from tests.seeds import random_of
from tests.shared.calendar.builders import WEEK, calendar
from tests.shared.calendar.oracle import Oracle, transitions

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Europe/Chisinau",
    "America/Havana",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Auckland",
)
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
AROUND = 3 * 3600
"""So many seconds before and after a transition are stepped through."""
CALENDARS = 3
SETS: list[list[str]] = [[], ["DE"], ["DE-BY", "US-CA"]]


def random_calendar(zone: str, near: date, chance: Random) -> Calendar:
    """Windows, breaks, overrides and holidays around the small hours, in which transitions are."""

    def edge(low: int, high: int) -> int:
        return chance.randrange(low, high)

    def span(low: int, high: int, longest: int) -> str:
        opens = edge(low, high)
        closes = min(opens + edge(1, longest), 47 * 60 + 59)
        return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"

    def windows() -> list[str]:
        return [span(0, 5 * 60, 8 * 60), span(20 * 60, 24 * 60, 12 * 60)][: edge(1, 3)]

    def breaks() -> list[str]:
        return [span(0, 4 * 60, 90), span(23 * 60, 28 * 60, 90)][: edge(0, 3)]

    days = [near + timedelta(days=it) for it in (-1, 0, 1)]
    override = {"windows": windows(), "even_if_holiday": chance.random() < 0.5}
    if chance.random() < 0.5:
        override["breaks"] = breaks()
    return calendar(
        {day: windows() for day in WEEK},
        zone=zone,
        breaks={day: breaks() for day in WEEK},
        holidays=chance.choice(SETS),
        own_holidays={chance.choice(days).isoformat(): "Ours"} if chance.random() < 0.5 else {},
        overrides={chance.choice(days).isoformat(): override} if chance.random() < 0.5 else {},
        holiday_truncates_overnight=chance.random() < 0.5,
    )


@pytest.mark.parametrize("zone", ZONES)
def test_every_second_around_a_transition_is_as_stepping_finds_it(zone: str) -> None:
    changes = transitions(zone, SINCE, UNTIL)
    assert changes, "choose a zone with transitions"
    chance = random_of(ZONES.index(zone))
    for transition in changes:
        near = datetime.fromtimestamp(transition, UTC).date()
        for _ in range(CALENDARS):
            rules = random_calendar(zone, near, chance)
            compare(rules, transition - AROUND, transition + AROUND, chance)


def compare(rules: Calendar, first: int, last: int, chance: Random) -> None:
    """The intervals, and answers to questions about random instants, against stepping."""
    oracle, subject = Oracle(rules), CompiledCalendar(rules)
    openings = [oracle.is_open(it) for it in range(first, last)]
    stepped = [
        (instant(group[0]), instant(group[-1] + 1))
        for is_open, seconds in groupby(range(first, last), lambda it: openings[it - first])
        if is_open
        for group in [list(seconds)]
    ]
    assert subject.open_intervals(instant(first), instant(last)) == stepped, rules
    for _ in range(20):
        since, until = sorted((chance.randrange(first, last), chance.randrange(first, last)))
        spent = sum(openings[since - first : until - first])
        assert subject.is_open(instant(since)) == openings[since - first]
        assert subject.elapsed(instant(since), instant(until)) == timedelta(seconds=spent)
        if spent:
            final = max(it for it in range(since, until) if openings[it - first])
            assert subject.add(instant(since), timedelta(seconds=spent)) == instant(final + 1)


def instant(second: int) -> datetime:
    """The instant so many seconds after 1970."""
    return datetime.fromtimestamp(second, UTC)
