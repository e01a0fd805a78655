"""Which dates a promise is counted over, and when it is judged for the last time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.promised_dates import dates_around, midnight, promised_dates
from shared.agreement.model.promises import Period
from tests.builders import NOON, days

NOVEMBER = date(2026, 11, 1), date(2026, 11, 30)


@pytest.mark.parametrize(
    ("per", "report", "dates"),
    [
        (None, NOVEMBER, ("11-01", "11-30", "11-30")),
        ("month", NOVEMBER, ("11-01", "11-30", "11-30")),
        ("week", NOVEMBER, ("11-16", "11-22", "11-22")),
        ("quarter", NOVEMBER, ("10-01", "11-30", "12-31")),
        ("month", (date(2026, 11, 2), date(2026, 11, 8)), ("11-01", "11-08", "11-30")),
        ("month", (date(2026, 10, 26), date(2026, 11, 1)), ("11-01", "11-01", "11-30")),
        ("month", (date(2026, 12, 7), date(2026, 12, 13)), ("12-01", "12-13", "12-31")),
    ],
)
def test_a_promise_is_about_its_own_period_up_to_the_end_of_the_report(
    per: Period | None, report: tuple[date, date], dates: tuple[str, ...]
) -> None:
    counted = promised_dates(per, *report, NOON)

    assert tuple(f"{it:%m-%d}" for it in counted) == dates


def test_a_month_is_judged_to_date_until_it_is_over() -> None:
    month = promised_dates("month", *NOVEMBER, NOON)

    assert month.judged_at(NOON) == NOON
    assert month.has_begun(NOON)
    assert not month.is_over(NOON)
    assert month.is_over(NOON + days(12.5))
    assert not month.has_begun(midnight(month.first))


def test_a_past_week_judges_its_month_as_it_was_then() -> None:
    month = promised_dates("month", date(2026, 11, 2), date(2026, 11, 8), NOON)

    assert month.judged_at(NOON) == midnight(date(2026, 11, 9))
    assert not month.is_over(NOON + days(100))


@given(st.sampled_from(get_args(Period)), st.dates(date(1970, 1, 1), date(2199, 12, 31)))
def test_periods_follow_each_other_without_a_gap(per: Period, day: date) -> None:
    first, last = dates_around(per, day)

    assert first <= day <= last
    assert dates_around(per, first) == dates_around(per, last) == (first, last)
    assert dates_around(per, last + timedelta(days=1))[0] == last + timedelta(days=1)
