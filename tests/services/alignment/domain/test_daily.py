"""Days whose outcomes are due, and what keeps one from being counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.alignment.domain.daily import (
    GRACE,
    MAX_DAYS,
    Backlog,
    days_due,
    end_of,
    late_by,
    obstacle,
)

DAY = date(2026, 11, 18)
MIDNIGHT = datetime(2026, 11, 19, tzinfo=UTC)
EARLIER = MIDNIGHT - timedelta(seconds=1)
AFTERWARDS = MIDNIGHT + timedelta(minutes=5)


def days(first: int, last: int) -> list[date]:
    return [date(2026, 11, day) for day in range(first, last + 1)]


@pytest.mark.parametrize(
    ("announced", "now", "due"),
    [
        (days(11, 17), MIDNIGHT + GRACE, [DAY]),
        (days(11, 17), MIDNIGHT + GRACE - timedelta(microseconds=1), []),
        (days(11, 18), MIDNIGHT + GRACE + timedelta(hours=22), []),
        (days(11, 18), MIDNIGHT + GRACE + timedelta(days=1), days(19, 19)),
        (days(11, 15), MIDNIGHT + GRACE, days(16, 18)),
        ([DAY], MIDNIGHT + GRACE + timedelta(days=30), [date(2026, 12, day) for day in range(12, 19)]),
        ([], MIDNIGHT + GRACE, days(12, 18)),
    ],
    ids=["an hour later", "too early", "once", "the next day", "after downtime", "a week at most", "the first start"],
)  # fmt: skip
def test_days_are_due_once_they_have_ended(
    announced: list[date], now: datetime, due: list[date]
) -> None:
    assert days_due(set(announced), now=now) == due
    assert len(due) <= MAX_DAYS


def test_days_are_those_of_utc() -> None:
    in_sydney = (MIDNIGHT + GRACE).astimezone(
        datetime.fromisoformat("2026-01-01T00:00+11:00").tzinfo
    )

    assert days_due(set(days(11, 17)), now=in_sydney) == [DAY]
    assert end_of(DAY) == MIDNIGHT


@pytest.mark.parametrize(
    ("backlogs", "cause"),
    [
        ([], "the relay has never measured what is unread"),
        ([Backlog("a", 0, None, AFTERWARDS)], None),
        ([Backlog("a", 0, None, EARLIER)], "what is unread of a was last measured at 2026-11-18 23:59 UTC"),
        ([Backlog("a", 3, MIDNIGHT, AFTERWARDS)], None),
        ([Backlog("a", 3, EARLIER, AFTERWARDS)], "3 records of a wait, the oldest since 2026-11-18 23:59 UTC"),
        ([Backlog("a", 3, None, AFTERWARDS)], "3 records of a wait, of which the oldest cannot be read"),
        ([Backlog("a", 0, None, AFTERWARDS), Backlog("b", 1, EARLIER, AFTERWARDS)],
         "1 records of b wait, the oldest since 2026-11-18 23:59 UTC"),
    ],
    ids=["unknown", "all was read", "too early", "the rest is later", "the day waits", "unreadable", "one of two"],
)  # fmt: skip
def test_a_day_is_counted_when_nothing_of_it_waits(
    backlogs: list[Backlog], cause: str | None
) -> None:
    assert obstacle(DAY, backlogs) == cause


def test_a_day_is_late_once_the_hour_after_it_has_passed() -> None:
    assert late_by(DAY, now=MIDNIGHT) == timedelta()
    assert late_by(DAY, now=MIDNIGHT + GRACE + timedelta(hours=3)) == timedelta(hours=3)
