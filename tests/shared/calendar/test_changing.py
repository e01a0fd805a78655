"""Hours that change from one calendar to another, against stepping through each minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import ChangingHours, Skipped
from tests.shared.calendar.builders import MINUTE, at, every_day

DAY = at("2026-11-18T00:00")
EARLY = every_day("06:00-10:00", "11:00-14:00")
LATE = every_day("09:00-12:00", "13:00-18:00")

minutes_of_two_days = st.integers(0, 2 * 24 * 60).map(lambda it: DAY + it * MINUTE)


def open_minutes(hours: ChangingHours, since: datetime, until: datetime) -> list[datetime]:
    """The open minutes between two instants, each looked up in the calendar that counts then."""
    count = max(0, (until - since) // MINUTE)
    minutes = [since + number * MINUTE for number in range(count)]
    return [it for it in minutes if (EARLY if it < hours.changes_at else LATE).is_open(it)]


@given(since=minutes_of_two_days, until=minutes_of_two_days, changes_at=minutes_of_two_days)
def test_time_is_counted_by_the_calendar_of_each_minute(
    since: datetime, until: datetime, changes_at: datetime
) -> None:
    hours = ChangingHours(EARLY, changes_at, LATE)

    counted = open_minutes(hours, since, until)

    assert hours.elapsed(since, until) == len(counted) * MINUTE
    intervals = hours.open_intervals(since, until)
    assert sum((end - start for start, end in intervals), timedelta(0)) == len(counted) * MINUTE
    assert intervals == sorted(intervals)


@given(since=minutes_of_two_days, changes_at=minutes_of_two_days, count=st.integers(1, 600))
def test_time_is_added_by_the_calendar_of_each_minute(
    since: datetime, changes_at: datetime, count: int
) -> None:
    hours = ChangingHours(EARLY, changes_at, LATE)

    end = hours.add(since, count * MINUTE)

    counted = open_minutes(hours, since, since + timedelta(days=4))
    assert end == counted[count - 1] + MINUTE
    assert hours.elapsed(since, end) == count * MINUTE


@given(since=minutes_of_two_days, changes_at=minutes_of_two_days)
def test_the_next_opening_is_that_of_the_calendar_that_counts_then(
    since: datetime, changes_at: datetime
) -> None:
    hours = ChangingHours(EARLY, changes_at, LATE)
    assert hours.next_open(since) == open_minutes(hours, since, since + timedelta(days=2))[0]


@pytest.mark.parametrize("change", ["2026-12-24T20:00", "2026-12-25T12:00", "2026-12-26T12:00"])
def test_a_holiday_of_both_calendars_is_skipped_once(change: str) -> None:
    closed = {"2026-12-25": "Christmas", "2026-12-27": "Rest"}
    german = every_day("09:00-17:00", own_holidays=closed)
    hours = ChangingHours(german, at(change), german)

    skipped = hours.skipped_holidays(at("2026-12-24T10:00"), at("2026-12-28T10:00"))

    assert skipped == [
        Skipped(at("2026-12-25T00:00").date(), "Christmas"),
        Skipped(at("2026-12-27T00:00").date(), "Rest"),
    ]


@pytest.mark.parametrize("change", ["2026-12-20T12:00", "2026-12-30T12:00"])
def test_the_holidays_of_a_calendar_that_did_not_count_then_are_left_out(change: str) -> None:
    christmas = every_day("09:00-17:00", own_holidays={"2026-12-25": "Christmas"})
    is_before = at(change) > at("2026-12-28T10:00")
    calendars = (christmas, EARLY) if is_before else (EARLY, christmas)
    hours = ChangingHours(calendars[0], at(change), calendars[1])

    [skipped] = hours.skipped_holidays(at("2026-12-24T10:00"), at("2026-12-28T10:00"))

    assert skipped.name == "Christmas"


def test_breaks_are_those_of_each_calendar() -> None:
    before = every_day("09:00-17:00", breaks={day: ["12:00-12:30"] for day in ("wed", "thu")})
    after = every_day("09:00-17:00", breaks={day: ["14:00-14:15"] for day in ("wed", "thu")})
    hours = ChangingHours(before, at("2026-11-19T00:00"), after)

    breaks = hours.skipped_breaks(at("2026-11-18T09:00"), at("2026-11-19T17:00"))

    assert [(it.hour, end.minute) for it, end in breaks] == [(12, 30), (14, 15)]
    assert hours.skipped_breaks(at("2026-11-19T10:00"), at("2026-11-19T09:00")) == []


def test_zone_and_name_are_those_of_the_later_calendar() -> None:
    kathmandu = every_day("09:00-17:00", zone="Asia/Kathmandu")
    hours = ChangingHours(EARLY, DAY, kathmandu)
    assert hours.calendar is kathmandu.calendar
    evening = datetime(2026, 11, 18, 20, tzinfo=UTC)
    assert hours.local_date(evening).day == 19
