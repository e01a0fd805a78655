"""Whole days of a time, and what is left at its ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.whole_days import edges_of, whole_days_of

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "until", "whole", "edges"),
    [
        (MONDAY, MONDAY + 2 * DAY, (MONDAY, MONDAY + 2 * DAY), []),
        (
            MONDAY - HOUR,
            MONDAY + DAY + HOUR,
            (MONDAY, MONDAY + DAY),
            [(MONDAY - HOUR, MONDAY), (MONDAY + DAY, MONDAY + DAY + HOUR)],
        ),
        (MONDAY, MONDAY + HOUR, (MONDAY, MONDAY), [(MONDAY, MONDAY + HOUR)]),
        (
            MONDAY + HOUR,
            MONDAY + 2 * HOUR,
            (MONDAY + DAY, MONDAY + DAY),
            [(MONDAY + HOUR, MONDAY + 2 * HOUR)],
        ),
        (MONDAY + DAY, MONDAY, (MONDAY + DAY, MONDAY + DAY), []),
    ],
    ids=["whole", "both_ends", "one_end", "within_a_day", "nothing"],
)
def test_a_time_is_whole_days_and_what_is_left(
    since: datetime,
    until: datetime,
    whole: tuple[datetime, datetime],
    edges: list[tuple[datetime, datetime]],
) -> None:
    assert whole_days_of(since, until) == whole
    assert edges_of(since, until) == edges


@given(st.timedeltas(timedelta(), 5 * DAY), st.timedeltas(timedelta(), 5 * DAY))
def test_the_parts_sum_to_the_time(begin: timedelta, length: timedelta) -> None:
    since, until = MONDAY + begin, MONDAY + begin + length
    parts = [whole_days_of(since, until), *edges_of(since, until)]

    assert sum((end - start for start, end in parts), timedelta()) == length
