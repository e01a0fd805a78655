"""The numbers of the page on money are those that the code computes."""

from __future__ import annotations

import pytest

from services.alignment.domain.outcomes import OutcomeCounts
from services.alignment.domain.periods import dates_of
from services.alignment.domain.policy import exchange_of, lifetime_terms_of
from services.alignment.domain.returns import Returns, Spent, lifetime
from services.alignment.domain.spend import Amount, Spend, costs
from shared.agreement.model import Money
from tests.conftest import ROOT

TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
PAGE = (ROOT / "docs" / "money.md").read_text()
MONEY = Money.model_validate(
    {"currency": "EUR", "rates": {"USD": 0.92}, "gross_margin": 0.8, "monthly_churn": 0.02}
)


def amount(cents: int | None) -> str:
    assert cents is not None
    return f"{cents / 100:,.2f}"


def test_the_example_is_computed() -> None:
    exchange = exchange_of(MONEY)
    won = exchange.sum_of({"EUR": 1_200_000, "USD": 400_000})
    cost = exchange.sum_of({"EUR": 420_000})
    counts = OutcomeCounts("autumn", qualified=42, won=4, customers=3)
    campaign = Returns(counts, won, Spent(cost, 30, is_prorated=False))
    assert campaign.roi is not None

    spent = amount(cost.cents)
    each = {it: amount(campaign.cost_of_each(it)) for it in (42, 4, 3)}
    value = lifetime(won.cents, counts.customers, lifetime_terms_of(MONEY))
    for line in (
        f"12,000.00 + 4,000.00 {TIMES} 0.92 = {amount(won.cents)}",
        *(f"{spent} ÷ {count} = {cents}" for count, cents in each.items()),
        f"({amount(won.cents)} {MINUS} {spent}) ÷ {spent} = {campaign.roi:.2f}",
        f"{amount(won.cents)} ÷ 3 {TIMES} 0.8 ÷ 0.02 = {amount(value.cents)}",
    ):
        assert line in PAGE, line


@pytest.mark.parametrize(("period", "days"), [("2026-10", "600.00"), ("2026-11", "100.00")])
def test_the_example_of_a_divided_week_is_computed(period: str, days: str) -> None:
    week = Spend("autumn", "2026-W44", 1, *dates_of("2026-W44"), Amount(70_000, "EUR"))

    assert amount(costs([week], *dates_of(period))["autumn"].cents["EUR"]) == days
    assert "of 700.00 for the week from 26 October to 1 November, 100.00 are November's" in PAGE
