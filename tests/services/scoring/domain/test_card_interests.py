"""What a lead read and bought: topics and pages by weight, and the last purchases."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.card import LISTED
from shared.contracts.payloads import Purchase
from tests.builders import NOON, days, marketing_event, minutes
from tests.services.scoring.domain.lead_cards import card_of, form_event, view


def test_topics_and_pages_are_ordered_by_views_that_fade() -> None:
    lead_card = card_of(
        view("/pricing/?utm=1", title="Pricing"),
        view("/plans/team", minutes(5), title="Team"),
        *(view("/docs/start", days(56), title=f"Start {it}") for it in range(4)),
        view("/docs", days(56)),
        view("/about", days(14)),
        view("/docs-old", days(90)),
        marketing_event("demo_requested", properties={"path": "/pricing"}),
        marketing_event(),
    )

    assert [(it.path, it.title, it.views) for it in lead_card.pages] == [
        ("/plans/team", "Team", 1),
        ("/pricing", "Pricing", 1),
        ("/about", None, 1),
        ("/docs/start", "Start 3", 4),
        ("/docs", None, 1),
    ]
    assert [it.weight for it in lead_card.pages] == [1.0, 1.0, 0.5, 0.25, 0.062]
    assert [(it.label, it.views, it.weight) for it in lead_card.topics] == [
        ("Prices", 2, 2.0),
        ("docs", 5, 0.312),
    ]
    assert lead_card.pages[3].last_at == NOON - days(56)


def test_pages_are_bounded_and_a_title_may_be_in_the_context() -> None:
    events = [
        marketing_event(context={"page": {"path": f"/{'p' * 900}{it}", "title": "t" * 900}})
        for it in range(LISTED + 3)
    ]

    lead_card = card_of(*events, marketing_event(context={"page": "odd"}))

    assert len(lead_card.pages) == LISTED
    assert {len(it.title or "") for it in lead_card.pages} == {298}
    assert {len(it.path) for it in lead_card.pages} == {298}


@pytest.mark.parametrize(
    ("properties", "title", "amount", "currency"),
    [
        (
            {"products": [{"name": "Pro"}, {"name": 3}, "odd", {}], "total": "1200.50", "currency": "EUR"},
            "Pro, 3",
            1200.5,
            "EUR",
        ),
        ({"plan": "team", "revenue": 12, "currency": "euros"}, "team", 12.0, None),
        ({"products": "none", "price": float("inf"), "currency": 3}, None, None, None),
        ({"products": [], "title": "A", "plan": "B", "total": True, "amount": 5}, "A", 5.0, None),
        ({}, None, None, None),
    ],
    ids=["order", "plan", "odd", "several", "nothing"],
)  # fmt: skip
def test_a_purchase_is_read_by_the_names_that_shops_use(
    properties: dict[str, Any], title: str | None, amount: float | None, currency: str | None
) -> None:
    lead_card = card_of(form_event(type="order_completed", **properties))

    [purchase] = lead_card.purchases
    assert purchase == Purchase(
        type="order_completed", title=title, amount=amount, currency=currency, at=NOON
    )


def test_the_last_purchases_are_listed_and_all_are_counted() -> None:
    orders = [form_event(minutes(it), type="order_completed", total=it) for it in range(LISTED + 2)]

    lead_card = card_of(*orders)

    assert [it.amount for it in lead_card.purchases] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert lead_card.purchase_count == LISTED + 2
