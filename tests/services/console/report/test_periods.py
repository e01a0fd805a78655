"""The periods of reports by name, and their dates in words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.report.periods import (
    choices,
    dates_text,
    month_of,
    quarter_of,
    week_of,
    weeks_until,
)


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 11, 18), ["2026-W47", "2026-W46", "2026-11", "2026-10", "2026-Q4"]),
        (date(2027, 1, 1), ["2026-W53", "2026-W52", "2027-01", "2026-12", "2027-Q1"]),
        (date(2026, 3, 31), ["2026-W14", "2026-W13", "2026-03", "2026-02", "2026-Q1"]),
    ],
    ids=["midweek", "new year", "month's end"],
)
def test_the_periods_on_offer(day: date, names: list[str]) -> None:
    assert list(choices(day).values()) == names


@given(st.dates(min_value=date(1970, 2, 1), max_value=date(2199, 12, 31)))
def test_each_day_lies_in_its_periods(day: date) -> None:
    year, week = week_of(day).split("-W")
    monday = date.fromisocalendar(int(year), int(week), 1)
    assert monday <= day < monday + timedelta(days=7)
    assert date.fromisoformat(f"{month_of(day)}-01") == day.replace(day=1)
    assert quarter_of(day) == f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def test_weeks_before_a_day_cross_the_year() -> None:
    assert weeks_until(date(2027, 1, 4), 3) == ["2026-W52", "2026-W53", "2027-W01"]


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        ("2026-11-16", "2026-11-22", "16 Nov to 22 Nov 2026"),
        ("2026-12-28", "2027-01-03", "28 Dec 2026 to 3 Jan 2027"),
        ("2026-11-16", "2026-11-16", "16 Nov 2026"),
    ],
)
def test_dates_in_words(since: str, until: str, text: str) -> None:
    assert dates_text(since, until) == text
