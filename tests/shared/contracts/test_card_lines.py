"""A card in words, which are the same wherever it is shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.contracts.card_lines import lines_of_answers, lines_of_facts
from shared.contracts.payloads import (
    CardTouch,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    PageViews,
    Purchase,
    TopicViews,
)
from tests.builders import NOON, days

TOUCH = CardTouch(channel="paid_social", campaign="autumn", type="page_viewed", at=NOON)
ORDER = Purchase(type="order_completed", title="Starter", amount=1200.5, currency="EUR", at=NOON)
BARE_ORDER = Purchase(type="order_completed", currency="EUR", at=NOON)


def texts(lead_card: LeadCard) -> dict[str, str]:
    return dict(lines_of_facts(lead_card))


def test_a_card_with_nothing_on_it_has_no_lines() -> None:
    assert (lines_of_answers(LeadCard()), lines_of_facts(LeadCard())) == ([], [])


def test_answers_keep_the_persons_lines() -> None:
    answer = FormAnswer(field="pain", label="Pain", text="Slow.\nVery.", at=NOON)

    assert lines_of_answers(LeadCard(form_answers=(answer,))) == [("Pain", "Slow.\nVery.")]


def test_interests_are_listed_with_their_views() -> None:
    page = PageViews(path="/a", views=2, weight=1.0, last_at=NOON)
    lead_card = LeadCard(
        persona="Decides",
        topics=(TopicViews(topic="t", label="Prices", views=3, weight=1.0),),
        pages=(page, replace(page, title="Docs", views=1)),
    )

    assert texts(lead_card) == {"Persona": "Decides", "Topics": "Prices (3)", "Pages": "/a (2), Docs (1)"}  # fmt: skip


@pytest.mark.parametrize(
    ("purchases", "count", "text"),
    [
        ((ORDER,), 1, "Starter, 1,200.50 EUR, 18 Nov 2026"),
        ((replace(ORDER, amount=490.0, currency=None),), 1, "Starter, 490, 18 Nov 2026"),
        ((replace(ORDER, amount=1e300),), 1, "Starter, 1e+300 EUR, 18 Nov 2026"),
        ((BARE_ORDER,), 3, "order completed, 18 Nov 2026; and 2 more"),
        ((), 7, "7 times"),
    ],
    ids=["whole", "no currency", "absurd", "bare", "shortened"],
)
def test_purchases_are_listed_with_what_is_known_of_them(
    purchases: tuple[Purchase, ...], count: int, text: str
) -> None:
    lead_card = LeadCard(purchases=purchases, purchase_count=count)

    assert texts(lead_card) == {"Bought": text}


def test_the_first_and_the_last_touch_are_shown_once_where_they_are_the_same() -> None:
    last = CardTouch(channel="direct", type="demo_requested", at=NOON + days(1))

    assert texts(LeadCard(first_touch=TOUCH, last_touch=TOUCH)) == {
        "First touch": "paid social, campaign autumn: page viewed, 18 Nov 2026"
    }
    assert texts(LeadCard(first_touch=TOUCH, last_touch=last)) == {
        "First touch": "paid social, campaign autumn: page viewed, 18 Nov 2026",
        "Last touch": "direct: demo requested, 19 Nov 2026",
    }


@pytest.mark.parametrize(
    ("consent", "text"),
    [
        (Consent(state=ConsentState.UNKNOWN), "unknown"),
        (Consent(state=ConsentState.GRANTED, by="newsletter", at=NOON), "granted by newsletter, 18 Nov 2026"),
        (Consent(state=ConsentState.WITHDRAWN, by="opted_out", at=NOON), "withdrawn by opted out, 18 Nov 2026"),
    ],
)  # fmt: skip
def test_consent_says_what_tells_it(consent: Consent, text: str) -> None:
    assert texts(LeadCard(consent=consent)) == {"Consent": text}
