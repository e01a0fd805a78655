"""Leads with their cards, under an agreement that names what is on a card."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.scoring.domain.card import Origins, build_card
from services.scoring.domain.lead import Lead, with_events
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.payloads import LeadCard, MarketingEvent
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, an_id, marketing_event, minutes

LEAD_CARD: dict[str, Any] = {
    "questions": [
        {"field": "message", "label": "What they wrote"},
        {"field": "pain", "on": ["form_submitted"]},
    ],
    "topics": [
        {"id": "prices", "label": "Prices", "paths": ["/pricing", "/plans/*"]},
        {"id": "docs", "paths": ["/docs/*"]},
    ],
    "purchases": ["order_completed"],
    "consent": {"trait": "agreed", "granted_by": ["subscribed"], "withdrawn_by": ["unsubscribed"]},
}
NOWHERE = Origins()
TRAITS = {**DEFAULT_SECTIONS["traits"], "agreed": "boolean"}


def policy(**contents: Any) -> ScoringPolicy:
    """The tests' agreement with a card in which these fields are replaced."""
    personas = [
        {"id": "buyer", "label": "Decides", "when": "lead.company_size >= 200"},
        {"id": "user", "when": "lead.company_size >= 20"},
    ]
    return ScoringPolicy(
        1, agreement(lead_card={**LEAD_CARD, **contents}, personas=personas, traits=TRAITS)
    )


def card_of(
    *events: MarketingEvent, rules: ScoringPolicy | None = None, origins: Origins = NOWHERE
) -> LeadCard:
    """The card of a lead with these events, a minute after noon."""
    rules = rules or policy()
    lead = with_events(Lead(an_id("ada"), NOON, 1), events, rules, now=NOON)
    return build_card(lead.profile, rules, events, origins, now=NOON + minutes(1))


def form_event(
    at: timedelta = timedelta(), type: str = "form_submitted", **fields: Any
) -> MarketingEvent:
    """A form that was sent so long before noon."""
    return marketing_event(type, time=NOON - at, properties=fields)


def view(path: str, ago: timedelta = timedelta(), **fields: Any) -> MarketingEvent:
    """A view of a page, so long before noon."""
    return marketing_event(time=NOON - ago, properties={"path": path, **fields})


def answers(lead_card: LeadCard) -> dict[str, str]:
    """What the person wrote, by question."""
    return {it.label: it.text for it in lead_card.form_answers}


def replaced(event: MarketingEvent, **fields: Any) -> MarketingEvent:
    """The event with these fields instead of its own."""
    kept = {name: getattr(event, name) for name in event.__struct_fields__}
    return MarketingEvent(**{**kept, **fields})
