"""Weeks, months and quarters by their names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.periods import BadPeriod, dates_of


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_has_its_first_and_last_date(name: str, first: date, last: date) -> None:
    assert dates_of(name) == (first, last)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "2026",
            "2026-W54",
            "2026-W00",
            "2025-W53",
            "2026-13",
            "2026-00",
            "2026-Q5",
            "2026-Q0",
        ),
        *(
            "2026-11-18",
            "1969-12",
            "2200-01",
            "0000-01",
            "2026-w47",
            "٢٠٢٦-11",
            " 2026-11",
            "2026-11\n",
        ),
    ],
)
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(BadPeriod, match="no"):
        dates_of(name)


@given(st.dates(date(1970, 1, 5), date(2199, 12, 28)))
def test_every_day_lies_in_its_week_month_and_quarter(day: date) -> None:
    year, week, _ = day.isocalendar()
    names = [
        f"{year}-W{week:02}",
        f"{day.year}-{day.month:02}",
        f"{day.year}-Q{(day.month + 2) // 3}",
    ]

    periods = [dates_of(name) for name in names]

    assert all(first <= day <= last for first, last in periods)
    (monday, sunday), (month_first, month_last), (quarter_first, quarter_last) = periods
    assert sunday - monday == timedelta(days=6)
    assert (month_first.day, (month_last + timedelta(days=1)).day) == (1, 1)
    assert quarter_first <= month_first <= month_last <= quarter_last
