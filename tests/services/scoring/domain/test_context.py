"""The context of a lead has what a rep needs, and never exceeds its limit."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.context import (
    LIMIT_BYTES,
    RECENT,
    TRAITS_BYTES,
    declared_traits,
    lead_context,
    touch_of,
)
from services.scoring.domain.lead import Lead, with_events
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.codec import encode
from shared.contracts.payloads import FormAnswer, LeadCard, LeadContext, MarketingEvent, PageViews
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, an_id, marketing_event, minutes

POLICY = ScoringPolicy(1, agreement())


def context(*events: MarketingEvent, policy: ScoringPolicy = POLICY) -> LeadContext:
    """The context of a lead with these events, the first of which caused the qualification."""
    lead = with_events(Lead(an_id("ada"), NOON, 1), events, policy, now=NOON)
    return lead_context(lead, policy, why_now=events[0], recent=events, now=NOON)


@pytest.mark.parametrize(
    ("traits", "name", "company"),
    [
        ({"name": "Ada L", "company": "Acme"}, "Ada L", "Acme"),
        ({"first_name": "Ada", "last_name": "L", "company": {"name": "Acme"}}, "Ada L", "Acme"),
        ({"first_name": 7, "last_name": "L", "company": ["Acme"]}, "L", None),
        ({}, None, None),
    ],
    ids=["one-field", "in-parts", "odd", "unknown"],
)
def test_a_context_names_the_person_and_the_company(
    traits: dict[str, Any], name: str | None, company: str | None
) -> None:
    lead_context = context(marketing_event(traits=traits))

    assert (lead_context.name, lead_context.company, lead_context.account) == (
        name,
        company,
        "example.com",
    )


@pytest.mark.parametrize(("count", "complete"), [(11, True), (15, False)])
def test_declared_traits_are_complete_up_to_what_fits_into_a_record(
    *, count: int, complete: bool
) -> None:
    names = {f"text_{number}": "string" for number in range(count)}
    policy = ScoringPolicy(1, agreement(traits={**DEFAULT_SECTIONS["traits"], **names}))
    texts = {name: "x" * (32_000 + number) for number, name in enumerate(names)}
    traits = {**texts, "company_size": "250", "undeclared": 1}
    lead = with_events(
        Lead(an_id("ada"), NOON, 1), [marketing_event(traits=traits)], policy, now=NOON
    )

    declared = declared_traits(lead, policy)

    assert declared.pop("company_size") == 250
    assert declared.items() <= texts.items()
    assert (declared == texts) is complete
    assert len(encode(declared)) < TRAITS_BYTES + 1_000


def test_a_context_gives_the_reasons_with_most_points_first() -> None:
    lead_context = context(
        marketing_event("form_submitted", traits={"company_size": 300, "title": "Student"}),
        marketing_event("page_viewed", context={"campaign": {"source": "google"}}),
    )

    assert [(it.rule, it.points) for it in lead_context.reasons] == [
        ("large_company", 40.0),
        ("form", 30.0),
        ("student", -30.0),
        ("page", 5.0),
    ]
    assert lead_context.first_campaign == lead_context.last_campaign == {"source": "google"}


def test_a_touch_reads_the_page_and_leaves_out_long_and_nested_values() -> None:
    event = marketing_event(
        context={"page": {"title": "Pricing", "path": "/pricing"}},
        properties={"plan": "pro", "seats": 3, "nested": {"deep": 1}, "long": "x" * 900},
    )

    touched = touch_of(event)

    assert (touched.title, touched.url) == ("Pricing", "/pricing")
    assert touched.properties == {"plan": "pro", "seats": 3, "long": "x" * 300}
    assert touch_of(marketing_event(context={"page": "odd"}, properties={"title": 7})).title is None


@pytest.mark.parametrize("letter", ["x", "\N{SNOWMAN}", "\\"], ids=["ascii", "wide", "escaped"])
def test_a_context_never_exceeds_its_limit(letter: str) -> None:
    names = [f"t{at}" for at in range(60)]
    policy = ScoringPolicy(
        1,
        agreement(
            traits={**DEFAULT_SECTIONS["traits"], **dict.fromkeys(names, "string")},
        ),
    )
    long = {f"p{at}": letter * 2000 for at in range(30)}
    events = [
        marketing_event(
            time=NOON - minutes(at),
            properties=long,
            traits=dict.fromkeys(names, letter * 2000),
            context={"campaign": long},
        )
        for at in range(RECENT + 5)
    ]

    lead_context = context(*events, policy=policy)

    assert len(encode(lead_context)) <= LIMIT_BYTES
    assert lead_context.email == "ada@example.com"
    assert lead_context.why_now is not None


@pytest.mark.parametrize(("size", "kept"), [(1_500, 8), (3_000, 5), (16_000, 0)])
def test_the_last_questions_answers_are_left_out_after_all_else(size: int, kept: int) -> None:
    answers = tuple(
        FormAnswer(field=f"q{at}", label="Q", text="x" * size, at=NOON) for at in range(8)
    )
    page = PageViews(path="/", title="x" * 9_000, views=1, weight=1.0, last_at=NOON)
    lead_card = LeadCard(persona="Decides", form_answers=answers, pages=(page,))
    event = marketing_event(traits={"country": "DE"})
    lead = with_events(Lead(an_id("ada"), NOON, 1), [event], POLICY, now=NOON)

    full = lead_context(lead, POLICY, why_now=event, recent=[event], lead_card=lead_card, now=NOON)

    assert len(encode(full)) <= LIMIT_BYTES
    assert full.lead_card == LeadCard(persona="Decides", form_answers=answers[:kept])


def test_a_card_that_cannot_fit_is_left_out_as_a_whole() -> None:
    answer = FormAnswer(field="q", label="Q", text="x", at=NOON)
    lead_card = LeadCard(persona="x" * 20_000, form_answers=(answer,))
    lead = with_events(Lead(an_id("ada"), NOON, 1), [marketing_event()], POLICY, now=NOON)

    left = lead_context(lead, POLICY, why_now=None, recent=(), lead_card=lead_card, now=NOON)

    assert left.lead_card is None
    assert left.email == "ada@example.com"


def test_a_context_without_a_cause_or_events_is_empty() -> None:
    lead = Lead(an_id("ada"), NOON, 1)

    assert lead_context(lead, POLICY, why_now=None, recent=(), now=NOON) == LeadContext()


def test_sources_that_cannot_fit_are_left_out() -> None:
    events = [marketing_event(source=f"{at}" * 1000) for at in range(20)]

    assert context(*events) == LeadContext(email="ada@example.com")
