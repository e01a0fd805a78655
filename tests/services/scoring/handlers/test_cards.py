"""A lead that qualifies is announced with its card, which follows from its last events and the agreement."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.scoring.domain.card import HISTORY, CardSources
from services.scoring.queries import ledger
from shared.contracts.payloads import (
    EventKind,
    Identity,
    LeadCard,
    LeadQualified,
    MarketingEvent,
    Qualified,
)
from shared.contracts.topics import LEADS_QUALIFIED
from tests.builders import DEFAULT_SECTIONS, NOON, days, marketing_event, minutes
from tests.plans import rows_read, scans
from tests.seeds import random_of
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres

LEAD_CARD: dict[str, Any] = {
    "questions": [{"field": "message", "label": "What they wrote"}, {"field": "pain"}],
    "topics": [{"id": "prices", "paths": ["/pricing"]}],
    "purchases": ["order_completed"],
    "consent": {"trait": "agreed", "withdrawn_by": ["unsubscribed"]},
}
MANY_EVENTS = text("""
    insert into scoring.events (source, id, lead_id, type, time, payload)
    select 'website', 'e-' || number, :lead_id, 'page_viewed', now() - number * interval '1 minute', '{}'
    from generate_series(1, 30000) as number
""")
DEMO = marketing_event("demo_requested", id="demo", properties={"message": "Call me"})


@pytest.fixture(autouse=True)
def _lead_card(worker: Worker) -> None:
    worker.publish(lead_card=LEAD_CARD, traits={**DEFAULT_SECTIONS["traits"], "agreed": "boolean"})


def viewed(ago: float, path: str = "/pricing", **fields: Any) -> MarketingEvent:
    """A view of a page so many minutes before noon."""
    return marketing_event(time=NOON - minutes(ago), properties={"path": path}, **fields)


def card_of(qualified: LeadQualified) -> LeadCard:
    lead_card = qualified.context.lead_card
    assert lead_card is not None
    return lead_card


def test_a_qualification_has_the_card_of_all_that_came_before_and_with_it(worker: Worker) -> None:
    worker.take(
        viewed(9, context={"campaign": {"medium": "email", "name": "autumn"}}),
        marketing_event("form_submitted", time=NOON - minutes(8), properties={"pain": "Slow"}),
        marketing_event(time=NOON - minutes(7), traits={"agreed": True}),
        marketing_event(time=NOON - minutes(6), email="ben@example.com", properties={"pain": "no"}),
        marketing_event("order_completed", time=NOON - minutes(5), properties={"total": 12}),
    )
    worker.take(DEMO)

    [qualified] = worker.announced()
    lead_card = card_of(qualified)
    assert [(it.label, it.text) for it in lead_card.form_answers] == [
        ("What they wrote", "Call me"),
        ("pain", "Slow"),
    ]
    assert [(it.topic, it.views) for it in lead_card.topics] == [("prices", 1)]
    assert lead_card.first_touch is not None
    assert (lead_card.first_touch.channel, lead_card.first_touch.campaign) == ("email", "autumn")
    assert lead_card.channel == "direct"
    assert [it.amount for it in lead_card.purchases] == [12.0]
    assert lead_card.consent is not None
    assert (lead_card.consent.state, lead_card.consent.by) == ("granted", "agreed")


def test_a_lead_that_ceases_to_be_qualified_is_announced_without_a_card(worker: Worker) -> None:
    worker.take(*(marketing_event("form_submitted") for _ in range(2)))
    worker.review_leads(NOON + days(60))

    became, ceased = worker.announced()
    assert became.context.lead_card is not None
    assert (ceased.change, ceased.context.lead_card) == (Qualified.CEASED, None)


def test_only_the_last_events_are_read_but_for_consent(worker: Worker) -> None:
    worker.take(
        marketing_event("unsubscribed", time=NOON - days(3)),
        marketing_event("form_submitted", time=NOON - days(2), properties={"pain": "long ago"}),
        *(viewed(HISTORY - it, f"/{it % 9}") for it in range(HISTORY)),
        DEMO,
    )

    lead_card = card_of(worker.announced()[0])
    assert [it.field for it in lead_card.form_answers] == ["message"]
    assert lead_card.consent is not None
    assert lead_card.consent.state == "withdrawn"
    assert [it.views for it in lead_card.pages] == [111] * 5


def test_what_is_read_for_a_card_does_not_grow_with_the_history(worker: Worker) -> None:
    worker.take(DEMO)
    lead_id, card_sources = lead_of(worker).id, CardSources(("order_completed",), ("pain",), ())
    worker.session.execute(MANY_EVENTS, {"lead_id": lead_id})
    worker.session.execute(text("analyze scoring.events"))

    nodes = scans(
        worker.session, lambda: ledger.card_events(worker.session, [lead_id], card_sources)
    )

    of_events = [it for it in nodes if it.get("Relation Name") == "events"]
    assert of_events
    assert sum(map(rows_read, of_events)) <= 1.1 * HISTORY


@pytest.mark.parametrize("seed", range(3))
def test_a_card_is_the_same_however_its_events_arrive(worker: Worker, seed: int) -> None:
    events = [
        *(viewed(it, f"/{it % 4}") for it in range(20)),
        *(
            marketing_event("form", time=NOON - minutes(it), properties={"pain": f"p{it % 3}"})
            for it in range(10)
        ),
        marketing_event("unsubscribed", time=NOON - minutes(3)),
        marketing_event(time=NOON - minutes(4), traits={"agreed": True}),
    ]
    in_order = sorted(events, key=lambda it: it.time)
    worker.take(*in_order)
    worker.take(DEMO)
    random = random_of(seed)
    for event in random.sample(events, len(events)):
        second_person = Identity(email="other@example.com")
        copy = MarketingEvent(
            **{**{it: getattr(event, it) for it in event.__struct_fields__}, "source": "copy"}
            | {"identity": second_person}
        )
        worker.take(copy, copy)
    worker.take(
        marketing_event(
            "demo_requested",
            source="copy",
            id="demo",
            email="other@example.com",
            properties={"message": "Call me"},
        )
    )

    first, second = (card_of(it) for it in worker.announced())
    assert first == second
    assert len(first.form_answers) == 2


def test_a_merged_lead_has_the_words_of_both(worker: Worker) -> None:
    worker.take(marketing_event("form", email="old@x.com", properties={"pain": "from before"}))
    worker.take(
        marketing_event("aliased", kind=EventKind.ALIAS, previous=Identity(email="old@x.com"))
    )
    worker.take(DEMO)

    [qualified] = worker.announced()
    assert [it.text for it in card_of(qualified).form_answers] == ["Call me", "from before"]


def test_the_largest_card_is_announced_within_the_bound_of_a_context(worker: Worker) -> None:
    questions = [{"field": f"q{it}", "label": "l" * 200} for it in range(30)]
    topics = [{"id": f"t{it}", "label": "T" * 200, "paths": [f"/{it}"]} for it in range(30)]
    worker.publish(
        lead_card={"questions": questions, "topics": topics, "purchases": ["order_completed"]}
    )
    words = {f"q{it}": '"\\' * 900 for it in range(30)}
    worker.take(
        *(viewed(it, f"/{it % 30}", context={"page": {"title": "é" * 900}}) for it in range(60)),
        *(marketing_event("order_completed", properties={"title": "漢" * 900}) for _ in range(9)),
    )
    worker.take(marketing_event("demo_requested", properties=words))

    [qualified] = worker.announced()
    lead_card = card_of(qualified)
    assert len(lead_card.form_answers) == 8
    assert (lead_card.topics, lead_card.pages, lead_card.purchases, lead_card.purchase_count) == (
        (),
        (),
        (),
        9,
    )
    assert len(LEADS_QUALIFIED.encode(qualified, id="1", source="s", at=NOON).value) < 20_000
