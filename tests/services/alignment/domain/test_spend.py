"""Versions of what campaigns cost, overlapping periods, and parts of periods."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.currencies import CURRENCIES, currency_hint
from services.alignment.domain.periods import dates_of
from services.alignment.domain.spend import (
    MAX_VERSION,
    Amount,
    Cost,
    Refusal,
    RefusalCause,
    Spend,
    SpendEntry,
    costs,
    counted,
    decide,
)

EUR_100 = Amount(10_000, "EUR")
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


def spend(
    period: str = "2026-11",
    version: int = 1,
    *,
    amount: Amount | None = EUR_100,
    campaign: str = "autumn",
) -> Spend:
    return Spend(campaign, period, version, *dates_of(period), amount)


def entry(
    period: str = "2026-11", version: int | None = None, *, amount: Amount | None = EUR_100
) -> SpendEntry:
    return SpendEntry("autumn", period, amount, version)


def refused(entry: SpendEntry, *versions: Spend) -> Refusal:
    refusal = decide(entry, versions)
    assert isinstance(refusal, Refusal)
    return refusal


@pytest.mark.parametrize(
    ("reported", "versions", "added"),
    [
        (entry(), [], spend()),
        (entry(version=7), [], spend(version=7)),
        (entry(), [spend()], None),
        (entry(version=1), [spend()], None),
        (entry(amount=Amount(1, "EUR")), [spend()], spend(version=2, amount=Amount(1, "EUR"))),
        (entry(amount=Amount(10_000, "USD")), [spend(version=4)], spend(version=5, amount=Amount(10_000, "USD"))),
        (entry(version=2), [spend(version=3, amount=None)], spend(version=2)),
        (entry(amount=None), [spend()], spend(version=2, amount=None)),
        (entry(amount=None), [], spend(amount=None)),
        (entry(amount=None), [spend(amount=None)], None),
        (entry("2026-W46"), [spend("2026-W45"), spend("2026-W47")], spend("2026-W46")),
        (entry("2026-W47"), [spend(), spend(version=2, amount=None)], spend("2026-W47")),
        (entry("2026-W47", amount=None), [spend()], spend("2026-W47", amount=None)),
        (entry("2026-W47", 1), [spend("2026-W47", 2, amount=None), spend()], spend("2026-W47", 1)),
    ],
    ids=[
        "the first", "with a version", "said again", "version said again", "another amount", "another currency",
        "an older version is kept too", "no longer known", "not known", "still not known", "neighbours",
        "instead of a month that is no longer known", "no amount overlaps nothing",
        "a version that does not count overlaps nothing",
    ],
)  # fmt: skip
def test_what_an_entry_adds(
    reported: SpendEntry, versions: list[Spend], added: Spend | None
) -> None:
    assert decide(reported, versions) == added


def test_a_version_never_changes() -> None:
    refusal = refused(entry(version=1, amount=Amount(1, "EUR")), spend())

    assert refusal.cause is RefusalCause.VERSION
    assert "another amount" in refusal.message


def test_versions_have_an_end() -> None:
    refusal = refused(entry(amount=None), spend(version=MAX_VERSION))

    assert refusal.cause is RefusalCause.VERSION


@pytest.mark.parametrize(
    ("period", "known"),
    [("2026-W47", "2026-11"), ("2026-11", "2026-W49"), ("2026-Q4", "2026-12"), ("2026-W01", "2025-12")],
)  # fmt: skip
def test_periods_with_days_in_common_do_not_both_count(period: str, known: str) -> None:
    refusal = refused(entry(period), spend(known))

    assert refusal.cause is RefusalCause.PERIOD
    assert known in refusal.message


def test_the_latest_versions_count_in_whatever_order_they_came() -> None:
    first, second = spend(version=1), spend(version=2, amount=Amount(5, "EUR"))
    unknown = [spend("2026-10"), spend("2026-10", 2, amount=None)]

    assert counted([first, second, *unknown]) == [second]
    assert counted([*reversed(unknown), second, first]) == [second]


def test_what_lies_in_the_report_counts_by_days() -> None:
    spending = [
        spend("2026-W44", amount=Amount(700, "EUR")),  # 26 October to 1 November: one day of seven
        spend("2026-W45", amount=Amount(700, "USD")),
        spend(campaign="spring"),
    ]

    assert costs(spending, *NOVEMBER) == {
        "autumn": Cost({"EUR": 100, "USD": 700}, days=8, is_prorated=True),
        "spring": Cost({"EUR": 10_000}, days=30, is_prorated=False),
    }
    assert costs([spend(amount=None)], *NOVEMBER)["autumn"].cents == {}
    assert costs([spend()], date(2026, 11, 20), date(2026, 11, 10)) == {}
    assert costs([spend("2026-10"), spend("2026-12")], *NOVEMBER) == {}


@given(
    st.integers(0, 10**14),
    st.sets(st.integers(1, 91), max_size=5),
    st.sampled_from(["2026-Q4", "2026-11", "2026-W47"]),
)
def test_parts_of_a_period_sum_to_the_whole(cents: int, cuts: set[int], period: str) -> None:
    whole = spend(period, amount=Amount(cents, "EUR"))
    days = (whole.last_on - whole.first_on).days + 1
    bounds = sorted({0, days, *(it for it in cuts if it < days)})
    parts = [
        costs(
            [whole],
            whole.first_on + timedelta(days=start),
            whole.first_on + timedelta(days=end - 1),
        )["autumn"]
        for start, end in pairwise(bounds)
    ]

    assert sum(it.cents["EUR"] for it in parts) == cents
    assert sum(it.days for it in parts) == days
    assert all(it.is_prorated == (it.days < days) for it in parts)
    assert all(abs(it.cents["EUR"] - cents * it.days / days) <= 1 + cents * 1e-12 for it in parts)


def test_currencies_are_those_of_iso_4217() -> None:
    assert {"EUR", "USD", "JPY", "CHF", "PLN"} <= CURRENCIES
    assert not {"XXX", "XTS", "XAU", "EURO", "DEM", "eur"} & CURRENCIES
    assert "such as EUR" in currency_hint("EURO" * 100)
    assert len(currency_hint("EURO" * 100)) < 100
