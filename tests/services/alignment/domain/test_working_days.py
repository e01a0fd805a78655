"""Working days that have passed, in the calendars of teams."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.working_days import WorkingDays, working_days
from shared.agreement.model import Calendar
from shared.calendar import CompiledCalendar, compile_calendar

WEEK = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def calendar(zone: str = "UTC", **fields: object) -> CompiledCalendar:
    return compile_calendar(
        Calendar.model_validate({"id": "office", "zone": zone, "hours": WEEK, **fields})
    )


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "passed"),
    [
        (at(1, 0), 0),
        (at(2, 16, 59), 0),
        (at(2, 17), 1),
        (at(8, 12), 5),
        (at(30, 17), 21),
        (at(30, 17) + timedelta(days=400), 21),
    ],
)
def test_a_working_day_has_passed_when_its_hours_are_over(instant: datetime, passed: int) -> None:
    assert working_days([calendar()], FIRST, LAST, instant) == WorkingDays(passed, 21)


def test_days_are_those_of_the_calendars_zone() -> None:
    tokyo = calendar("Asia/Tokyo")

    assert working_days([tokyo], FIRST, LAST, at(2, 7, 59)).passed == 0
    assert working_days([tokyo], FIRST, LAST, at(2, 8)).passed == 1


def test_holidays_are_no_working_days() -> None:
    closed = calendar(own_holidays={"2026-11-18": "Repentance Day"})

    assert working_days([closed], FIRST, LAST, at(30, 23)) == WorkingDays(20, 20)


def test_a_calendar_that_is_always_open_has_all_days() -> None:
    always = calendar(hours={day: ["00:00-24:00"] for day in (*WEEK, "sat", "sun")})

    assert working_days([always], FIRST, LAST, at(3, 12)) == WorkingDays(2, 30)


def test_of_several_calendars_it_is_the_mean() -> None:
    closed = calendar(own_holidays={"2026-11-02": "Day of the Dead"})

    assert working_days([calendar(), closed], FIRST, LAST, at(2, 20)) == WorkingDays(0.5, 20.5)


@pytest.mark.parametrize(("instant", "passed"), [(at(1, 0), 0), (at(8, 9), 1), (at(20, 0), 2)])
def test_where_no_day_is_a_working_day_all_days_count(instant: datetime, passed: int) -> None:
    weekend = date(2026, 11, 7), date(2026, 11, 8)

    assert working_days([calendar()], *weekend, instant) == WorkingDays(passed, 2)


OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


@given(
    st.timedeltas(timedelta(0), timedelta(days=91)).map(lambda it: OCTOBER + it),
    st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_working_days_only_grow_and_are_never_more_than_all(
    instant: datetime, later: timedelta
) -> None:
    before = working_days([calendar("America/New_York")], FIRST, LAST, instant)
    after = working_days([calendar("America/New_York")], FIRST, LAST, instant + later)

    assert 0 <= before.passed <= after.passed <= after.total == before.total
    assert before.share <= before.share_with_next <= 1
