"""What campaigns cost beside what they brought."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from services.alignment.domain.attribution import Credits, Group
from services.alignment.domain.exchange import Exchange, Sum
from services.alignment.domain.outcomes import OutcomeCounts
from services.alignment.domain.returns import (
    Lifetime,
    LifetimeTerms,
    NotComputed,
    Returns,
    Spent,
    attributed_sums,
    in_all,
    lifetime,
    returns,
)
from services.alignment.domain.spend import Cost
from shared.agreement.model import AttributionModel

EXCHANGE = Exchange("EUR", {"EUR": Fraction(1), "USD": Fraction("0.5")})
NONE = Exchange(None, {})
COUNTS = OutcomeCounts("autumn", qualified=3, won=2, customers=1)
SPENT = Spent(Sum(1_000), days=30, is_prorated=False)


def row(**fields: Any) -> Returns:
    usual: dict[str, Any] = {"counts": COUNTS, "attributed": Sum(4_000), "spent": SPENT}
    return Returns(**{**usual, **fields})


def test_a_campaign_that_cost_ten_and_brought_forty() -> None:
    campaign = row()

    assert campaign.roi == 3.0
    assert campaign.cost_of_each(campaign.counts.qualified) == 333
    assert campaign.cost_of_each(campaign.counts.won) == 500
    assert campaign.cost_of_each(campaign.counts.customers) == 1_000
    assert (campaign.cost_not_computed, campaign.roi_not_computed) == (None, None)


@pytest.mark.parametrize(
    ("fields", "of_cost", "of_roi"),
    [
        ({"spent": None}, NotComputed.NO_SPEND, NotComputed.NO_SPEND),
        ({"has_money": False}, NotComputed.NO_MONEY, NotComputed.NO_MONEY),
        (
            {"spent": Spent(Sum(1, {"GBP": 1}), 1, is_prorated=False)},
            NotComputed.NO_RATE,
            NotComputed.NO_RATE,
        ),
        ({"spent": Spent(Sum(0), 30, is_prorated=False)}, None, NotComputed.NO_COST),
        ({"attributed": Sum(1, {"GBP": 1})}, None, NotComputed.NO_RATE),
    ],
    ids=["unknown", "no currency", "a part is apart", "free", "what was won is apart"],
)
def test_what_cannot_be_computed_says_why_and_is_never_infinite(
    fields: dict[str, Any], of_cost: NotComputed | None, of_roi: NotComputed
) -> None:
    campaign = row(**fields)

    assert (campaign.cost_not_computed, campaign.roi_not_computed) == (of_cost, of_roi)
    assert campaign.roi is None
    assert (campaign.cost_of_each(1) is None) == (of_cost is not None)
    assert campaign.cost_of_each(0) is None


def test_a_campaign_that_brought_nothing_lost_all() -> None:
    assert row(attributed=Sum()).roi == -1.0


def of_first(cents: int) -> Credits:
    """Credit by the model of the first touch."""
    return Credits(Counter({AttributionModel.FIRST: cents}))


def test_credit_is_converted_once_for_each_campaign() -> None:
    credit = {
        Group("EUR", is_touched=True, name="autumn"): of_first(10),
        Group("USD", is_touched=True, name="autumn"): of_first(5),
        Group("GBP", is_touched=True, name="spring"): of_first(1),
        Group("EUR", is_touched=True, name=None): of_first(2),
        Group("EUR", is_touched=False, name=None): of_first(3),
    }

    assert attributed_sums(credit, AttributionModel.FIRST, EXCHANGE) == {
        "autumn": Sum(13),
        "spring": Sum(0, {"GBP": 1}),
        None: Sum(5),
    }


def test_every_campaign_with_leads_credit_or_costs_has_a_row() -> None:
    rows = returns(
        [COUNTS, OutcomeCounts(None, qualified=1)],
        {"spring": Sum(5), None: Sum(7)},
        {"winter": Cost({"EUR": 9}, 7, is_prorated=True), "summer": Cost({"GBP": 9}, 30, is_prorated=False)},
        EXCHANGE,
    )  # fmt: skip

    assert [it.counts.campaign for it in rows] == ["winter", None, "spring", "autumn", "summer"]
    assert [it.spent for it in rows] == [
        Spent(Sum(9), 7, is_prorated=True),
        None,
        None,
        None,
        Spent(Sum(0, {"GBP": 9}), 30, is_prorated=False),
    ]
    [unconverted] = returns([], {}, {"winter": Cost({"EUR": 9}, 7, is_prorated=True)}, NONE)
    assert unconverted.cost_not_computed is NotComputed.NO_MONEY
    assert unconverted.spent == Spent(Sum(0, {"EUR": 9}), 7, is_prorated=True)


def test_all_campaigns_together_are_the_sums_of_their_columns() -> None:
    rows = [row(), row(spent=None), row(spent=Spent(Sum(5, {"GBP": 1}), 7, is_prorated=True))]
    total = in_all(
        COUNTS, [*rows, row(spent=Spent(Sum(0, {"GBP": 2}), 1, is_prorated=False))], has_money=True
    )

    assert total.attributed == Sum(16_000)
    assert total.spent == Spent(Sum(1_005, {"GBP": 3}), 30, is_prorated=True)
    assert in_all(COUNTS, [row(spent=None)], has_money=True).spent is None


@pytest.mark.parametrize(
    ("terms", "customers", "value"),
    [
        (LifetimeTerms(0.8, 0.02), 2, Lifetime(20_000, None)),
        (None, 2, Lifetime(None, NotComputed.NO_MONEY)),
        (LifetimeTerms(None, 0.02), 2, Lifetime(None, NotComputed.NO_TERMS)),
        (LifetimeTerms(0.8, None), 2, Lifetime(None, NotComputed.NO_TERMS)),
        (LifetimeTerms(0.8, 0.02), 0, Lifetime(None, NotComputed.NO_WINS)),
    ],
)
def test_lifetime_value_is_the_average_amount_by_margin_and_churn(
    terms: LifetimeTerms | None, customers: int, value: Lifetime
) -> None:
    assert lifetime(1_000, customers, terms) == value
