"""The goal by the quota, and promises that cannot reach it."""

from __future__ import annotations

from typing import Any

import pytest

from services.alignment.domain.goal import cannot_reach, goal_of
from services.alignment.domain.groups import GroupCount
from shared.agreement.model import Money, Promise

QUOTA = {"amount": 1_200_000, "per": "quarter", "marketing_share": 0.4}
ONE_VALUE = [{"when": True, "close_rate": 0.06, "average_deal": 8_000}]
TWO_VALUES = [{"when": 'tier == "hot"', "close_rate": 0.25, "average_deal": 20_000}, *ONE_VALUE]


def money(**fields: Any) -> Money:
    return Money.model_validate({"currency": "EUR", "quota": QUOTA, **fields})


def test_leads_are_needed_by_share_deal_and_close_rate() -> None:
    goal = goal_of(money(value=ONE_VALUE), (), [GroupCount((), 0)])

    assert goal is not None
    assert (goal.revenue, goal.average_deal, goal.close_rate) == (480_000, 8_000, 0.06)
    assert goal.customers == 60
    assert goal.leads_needed == pytest.approx(1_000)


def test_of_several_entries_the_rates_are_means_over_the_leads() -> None:
    goal = goal_of(
        money(value=TWO_VALUES), ("tier",), [GroupCount(("hot",), 10), GroupCount(("",), 90)]
    )

    assert goal is not None
    customers, worth = 10 * 0.25 + 90 * 0.06, 10 * 0.25 * 20_000 + 90 * 0.06 * 8_000
    assert goal.close_rate == pytest.approx(customers / 100)
    assert goal.average_deal == pytest.approx(worth / customers)
    assert goal.leads_needed == pytest.approx(480_000 / (worth / 100))
    assert goal.leads == 100


@pytest.mark.parametrize(
    "fields",
    [{"value": TWO_VALUES}, {"value": []}, {"value": [{**ONE_VALUE[0], "close_rate": 0}]}],
    ids=["no leads", "no values", "nothing is won"],
)
def test_without_a_rate_the_leads_that_are_needed_are_not_known(fields: dict[str, Any]) -> None:
    goal = goal_of(money(**fields), ("tier",), [])

    assert goal is not None
    assert (goal.revenue, goal.leads_needed) == (480_000, None)


def test_a_group_without_an_entry_is_left_out_of_the_means() -> None:
    goal = goal_of(
        money(value=[TWO_VALUES[0], TWO_VALUES[0]]),
        ("tier",),
        [GroupCount(("hot",), 1), GroupCount(("",), 5)],
    )

    assert goal is not None
    assert (goal.close_rate, goal.leads) == (0.25, 6)


def test_without_a_quota_there_is_no_goal() -> None:
    assert goal_of(money(quota=None, value=ONE_VALUE), (), []) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"measure": "qualified", "per": "month", "at_least": 333}, "333 leads per month"),
        ({"measure": "qualified", "per": "month", "at_least": 334}, None),
        ({"measure": "qualified", "per": "week", "at_least": 70}, "77 leads per week"),
        ({"measure": "capacity", "per": "quarter", "at_least": 999}, "1,000 leads"),
        ({"measure": "qualified_value", "per": "quarter", "at_least": 1}, "480,000 EUR per quarter"),
        ({"measure": "qualified", "per": "month", "at_least": 1, "where": 'team == "x"'}, None),
        ({"measure": "acceptance_rate", "at_least": 0.1}, None),
        ({"measure": "attainment", "per": "month", "at_least": 0.1}, None),
    ],
)  # fmt: skip
def test_a_promise_that_cannot_reach_the_quota_says_so(
    fields: dict[str, Any], words: str | None
) -> None:
    goal = goal_of(money(value=ONE_VALUE), (), [])
    promise = Promise.model_validate({"id": "it", **fields})

    assert words is None or words in str(cannot_reach(promise, goal))
    assert (cannot_reach(promise, goal) is None) == (words is None)
    assert cannot_reach(promise, None) is None
