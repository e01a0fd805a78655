"""The card of a lead: what they wrote and agreed to, where they came from, whatever order their events came in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.card import (
    ANSWER_BYTES,
    ANSWERS,
    CardSources,
    Origins,
    build_card,
    origins_in,
    origins_of,
)
from services.scoring.domain.lead import Lead, with_events
from shared.contracts.card_lines import lines_of_facts
from shared.contracts.codec import Codec, encode
from shared.contracts.payloads import CardTouch, Consent, ConsentState, LeadCard, MarketingEvent
from shared.contracts.touches import MarketingTouch
from tests.builders import NOON, agreement, an_id, days, marketing_event, minutes
from tests.services.scoring.domain.lead_cards import (
    answers,
    card_of,
    form_event,
    policy,
    replaced,
    view,
)


def test_the_latest_answer_to_each_question_is_read_in_the_order_of_the_agreement() -> None:
    lead_card = card_of(
        form_event(minutes(1), pain="Nobody calls", message="Hello"),
        form_event(minutes(9), pain="Older"),
        form_event(
            type="demo_requested", pain="not read from this type", message="\n Please  call "
        ),
        form_event(message=" \t"),
    )

    assert answers(lead_card) == {"What they wrote": "Please  call", "pain": "Nobody calls"}
    assert lead_card.form_answers[0].at == NOON
    assert lead_card.form_answers[1].field == "pain"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<b>a</b> & 'b' *c*", "<b>a</b> & 'b' *c*"),
        ("שלום 👩\u200d💻\r\nzwei\rdrei", "שלום 👩\u200d💻\nzwei\ndrei"),
        ("a\x1b[31mb\u202ec\x00d", "a [31mb c d"),
        (True, "yes"),
        (False, "no"),
        (12.5, "12.5"),
        (["a", "", 3, True, ["deep"], {"d": 1}], "a, 3, yes"),
        ({"deep": 1}, None),
        (None, None),
        ([], None),
        ("", None),
    ],
)  # fmt: skip
def test_an_answer_is_plain_text_whatever_was_sent(value: object, text: str | None) -> None:
    lead_card = card_of(form_event(message=value))

    assert answers(lead_card).get("What they wrote") == text


def test_long_answers_and_many_questions_are_bounded() -> None:
    fields = [f"q{it}" for it in range(ANSWERS + 2)]
    rules = policy(questions=[{"field": it} for it in fields])

    lead_card = card_of(
        marketing_event(properties=dict.fromkeys(fields, "漢" * 5_000)), rules=rules
    )

    assert [it.field for it in lead_card.form_answers] == fields[:ANSWERS]
    texts = {it.text for it in lead_card.form_answers}
    assert texts == {"漢" * 265 + "…"}
    assert all(len(it.encode()) <= ANSWER_BYTES for it in texts)


def test_what_a_bot_did_says_nothing_about_a_person() -> None:
    by_a_bot = [
        view("/pricing"),
        form_event(message="spam"),
        form_event(type="order_completed", total=3),
    ]

    lead_card = card_of(*(replaced(it, marks=("bot",)) for it in by_a_bot))

    assert lead_card == LeadCard(consent=Consent(state=ConsentState.UNKNOWN))


@pytest.mark.parametrize(
    ("events", "state", "by"),
    [
        ([], "unknown", None),
        ([{"traits": {"agreed": True}}], "granted", "agreed"),
        ([{"traits": {"agreed": "false"}}], "withdrawn", "agreed"),
        ([{"traits": {"agreed": "perhaps"}}], "unknown", None),
        ([{"traits": {"agreed": True}}, {"traits": {"agreed": None}}], "unknown", None),
        ([{"type": "subscribed"}, {"type": "unsubscribed"}], "withdrawn", "unsubscribed"),
        ([{"type": "unsubscribed"}, {"type": "subscribed"}], "granted", "subscribed"),
        ([{"type": "unsubscribed"}, {"traits": {"agreed": True}}], "granted", "agreed"),
        ([{"traits": {"agreed": True}}, {"type": "unsubscribed"}], "withdrawn", "unsubscribed"),
    ],
)
def test_consent_is_what_the_latest_of_trait_and_events_says(
    events: list[dict[str, Any]], state: str, by: str | None
) -> None:
    in_order = [
        marketing_event(time=NOON - minutes(60 - at), **fields) for at, fields in enumerate(events)
    ]

    for order in (in_order, in_order[::-1]):
        consent = card_of(*order).consent
        assert consent is not None
        assert (consent.state.value, consent.by) == (state, by)
        assert (consent.at is None) == (state == "unknown")


def test_consent_that_nothing_tells_is_not_shown_and_events_suffice() -> None:
    assert card_of(rules=policy(consent=None)).consent is None

    lead_card = card_of(form_event(type="gone"), rules=policy(consent={"withdrawn_by": ["gone"]}))

    assert lead_card.consent == Consent(state=ConsentState.WITHDRAWN, by="gone", at=NOON)


@pytest.mark.parametrize(
    ("size", "label"), [(500, "Decides"), (50, "user"), (1, None)], ids=["label", "id", "nobody"]
)
def test_a_persona_is_shown_by_its_label(size: int, label: str | None) -> None:
    assert card_of(marketing_event(traits={"company_size": size})).persona == label


def test_the_first_and_the_last_touch_are_those_that_were_announced() -> None:
    touches = [
        MarketingTouch(
            id=str(at),
            occurred_at=NOON - days(9 - at),
            channel=channel,
            campaign=campaign,
            source="website",
            type="page_viewed",
        )
        for at, (channel, campaign) in enumerate([("email", "a"), ("social", "b"), ("direct", None)])
    ]  # fmt: skip

    lead_card = card_of(origins=origins_of(touches))

    assert lead_card.first_touch == CardTouch(
        channel="email", campaign="a", type="page_viewed", at=NOON - days(9)
    )
    assert lead_card.last_touch == CardTouch(
        channel="direct", type="page_viewed", at=NOON - days(7)
    )
    assert lead_card.channel == "direct"
    assert origins_of([]) == Origins()


def test_touches_are_found_in_the_events_of_a_lead_that_a_rep_has_lost() -> None:
    events = [
        marketing_event("demo_requested", time=NOON),
        marketing_event(time=NOON - days(1), context={"campaign": {"medium": "email", "name": "a"}}),
        marketing_event(time=NOON - days(2)),
    ]  # fmt: skip

    origins = origins_in(events, policy())

    assert origins.first == CardTouch(
        channel="email", campaign="a", type="page_viewed", at=NOON - days(1)
    )
    assert origins.last == CardTouch(channel="direct", type="demo_requested", at=NOON)
    assert origins_in([marketing_event()], policy()) == Origins()


def test_only_what_the_agreement_names_is_looked_for() -> None:
    assert CardSources.of(policy().agreement.lead_card) == CardSources(
        types=("page_viewed", "order_completed"),
        fields=("message", "pain"),
        consent_types=("subscribed", "unsubscribed"),
    )
    assert CardSources.of(agreement().lead_card) == CardSources(("page_viewed",), (), ())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(max_size=5), it, max_size=3),
    max_leaves=8,
)
BEGINNING = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
"""It is before the first instant that UTC has."""

NAMES = st.sampled_from(
    ["message", "pain", "path", "url", "title", "products", "total", "currency", "plan"]
)
EVENTS = st.lists(
    st.builds(
        lambda type, ago, properties, traits: marketing_event(
            type,
            time=NOON - minutes(ago) if ago else BEGINNING,
            properties=properties,
            traits=traits,
        ),
        st.sampled_from(
            ["page_viewed", "form_submitted", "order_completed", "subscribed", "unsubscribed"]
        ),
        st.integers(0, 3),
        st.dictionaries(NAMES, VALUES, max_size=4),
        st.fixed_dictionaries({}, optional={"agreed": st.booleans() | VALUES}),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_a_card_is_bounded_and_the_same_in_any_order_and_with_events_twice(
    events: list[MarketingEvent], random: Any
) -> None:
    shuffled = [*events, *events[:3]]
    random.shuffle(shuffled)
    rules = policy()
    profile = with_events(Lead(an_id("ada"), NOON, 1), events, rules, now=NOON).profile

    lead_card = build_card(profile, rules, events, Origins(), now=NOON)

    assert build_card(profile, rules, shuffled, Origins(), now=NOON) == lead_card
    assert len(encode(lead_card)) < 12_000
    assert Codec(LeadCard).decode(encode(lead_card)) == lead_card
    assert all(label and text for label, text in lines_of_facts(lead_card))
