"""The persona of a lead decides about its tier, and goes to sales with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import DEFAULT_SECTIONS, marketing_event
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres

PERSONAS = [
    {"id": "buyer", "when": "lead.company_size >= 200"},
    {"id": "example_user", "when": 'lead.account == "example.com"'},
]
TIERS = [
    {"id": "for_buyers", "when": 'persona == "buyer"'},
    {"id": "for_users", "when": 'persona == "example_user"'},
    {"id": "standard", "when": True},
]


@pytest.mark.parametrize(
    ("fields", "persona", "tier"),
    [
        ({"traits": {"company_size": "500"}}, "buyer", "for_buyers"),
        ({"traits": {"company_size": 5}}, "example_user", "for_users"),
        ({"email": "ada@gmail.com"}, None, "standard"),
    ],
    ids=["buyer", "user", "nobody"],
)
def test_a_persona_names_the_tier_and_is_announced(
    worker: Worker, fields: dict[str, Any], persona: str | None, tier: str
) -> None:
    qualification = {**DEFAULT_SECTIONS["qualification"], "tiers": TIERS}
    worker.publish(personas=PERSONAS, qualification=qualification)

    worker.take(marketing_event("demo_requested", **fields))

    [lead] = worker.announced()
    assert (lead.context.persona, lead.tier) == (persona, tier)
