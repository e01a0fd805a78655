"""Every minute is compared with a second, slow implementation of the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agreement.model import Calendar
from shared.calendar import CompiledCalendar
from tests.shared.calendar.builders import MINUTE, WEEK, calendar
from tests.shared.calendar.oracle import Oracle


@st.composite
def windows(draw: st.DrawFn) -> list[str]:
    opens = draw(st.integers(0, 23 * 60 + 59))
    closes = draw(st.integers(opens + 1, 47 * 60 + 59))
    texts = [f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"]
    return texts if draw(st.booleans()) else [*texts, "01:30-02:30"]


@st.composite
def breaks(draw: st.DrawFn) -> list[str]:
    opens = draw(st.integers(0, 47 * 60))
    closes = draw(st.integers(opens + 1, min(opens + 240, 47 * 60 + 59)))
    return [f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"]


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Santiago",
    "UTC",
)
STARTS = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in (
        (3, 7),
        (3, 28),
        (4, 3),
        (9, 5),
        (10, 24),
        (10, 31),
        (12, 23),
        (2, 13),
        (3, 21),
    )
]
SPAN_DAYS = 5


@st.composite
def calendars(draw: st.DrawFn, start: datetime) -> Calendar:
    days = [start.date() + timedelta(days=n) for n in range(SPAN_DAYS)]
    override = st.fixed_dictionaries(
        {"windows": st.one_of(st.just([]), windows()), "even_if_holiday": st.booleans()},
        optional={"breaks": st.one_of(st.just([]), breaks())},
    )
    own = st.dictionaries(st.sampled_from(days), st.just("Ours"), max_size=2)
    hours = draw(st.dictionaries(st.sampled_from(WEEK), windows(), min_size=3))
    return calendar(
        hours,
        zone=draw(st.sampled_from(ZONES)),
        breaks=draw(st.dictionaries(st.sampled_from(WEEK), breaks(), max_size=3)),
        holidays=draw(st.sampled_from([None, "DE", ["DE-BY", "US-CA"]])),
        own_holidays={day.isoformat(): name for day, name in draw(own).items()},
        overrides={
            day.isoformat(): what
            for day, what in draw(
                st.dictionaries(st.sampled_from(days), override, max_size=2)
            ).items()
        },
        holiday_truncates_overnight=draw(st.booleans()),
    )


@settings(max_examples=40)
@given(st.data())
def test_every_minute_is_as_the_oracle_says(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(STARTS))
    rules = data.draw(calendars(start))
    subject = CompiledCalendar(rules)
    grid = [start + n * MINUTE for n in range(SPAN_DAYS * 24 * 60)]
    oracle = Oracle(rules)
    openings = [oracle.is_open(int(instant.timestamp())) for instant in grid]

    assert [subject.is_open(instant) for instant in grid] == openings
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(grid) - 1)] * 2)))
    spent = sum(openings[first:last]) * MINUTE
    assert subject.elapsed(grid[first], grid[last]) == spent
    counted = subject.open_intervals(grid[first], grid[last])
    assert sum((until - since for since, until in counted), timedelta(0)) == spent
    if spent:
        final = max(n for n in range(first, last) if openings[n])
        assert subject.add(grid[first], spent) == grid[final + 1]
    if any(openings[first:]):
        assert subject.next_open(grid[first]) == grid[first + openings[first:].index(True)]
