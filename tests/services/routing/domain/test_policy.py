"""The rule that a lead falls under, the facts that rules read, and how a team counts days and periods."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from services.routing.domain.policy import RoutingPolicy, first_match
from shared.contracts.payloads import LeadContext
from tests.builders import DEFAULT_SECTIONS, agreement, days, lead_qualified
from tests.services.routing.builders import at, build_policy, matched_lead

TYPES = {**DEFAULT_SECTIONS["traits"], "topics": "list"}


def test_the_first_rule_that_holds_decides_and_the_last_holds_for_all() -> None:
    rules = agreement(
        routing={
            "teams": [{"id": "sales", "calendar": "office"}],
            "rules": [
                {"id": "french", "when": 'lead.country == "FR"', "team": "sales"},
                {"id": "german", "when": 'lead.country == "DE"', "team": "sales"},
                {"id": "rest", "when": True, "team": "sales"},
            ],
        }
    ).routing.rules
    facts = dict(matched_lead().facts)

    german, verdicts = first_match(rules, facts)
    rest, all_asked = first_match(rules, {**facts, "lead": {}})

    assert german.id == "german"
    assert [(it.rule, it.held) for it in verdicts] == [("french", False), ("german", True)]
    assert rest.id == "rest"
    assert [it.held for it in all_asked] == [False, False, True]


def test_periods_and_days_are_in_the_time_zone_of_the_team() -> None:
    berlin = build_policy(
        sla={
            "calendars": [
                {"id": "office", "zone": "Europe/Berlin", "hours": {"mon": ["09:00-17:00"]}}
            ]
        }
    )
    late = at(30, 23, 30)

    assert berlin.period_of(late) == "2026-12"
    assert berlin.day_of(late)[0] == at(30, 23)
    assert berlin.day_of(late)[1] - berlin.day_of(late)[0] == days(1)
    ever = build_policy(
        routing={
            "teams": [{"id": "sales", "calendar": "office", "period": "ever"}],
            "rules": [{"id": "rest", "when": True, "team": "sales"}],
        }
    )
    assert ever.period_of(late) == "ever"


def rule_of(when: str, traits: dict[str, Any] | None = None, **lead: Any) -> str:
    """The rule that the lead falls under, beside one for all others."""
    rules = [
        {"id": "matches", "when": when, "team": "sales"},
        {"id": "rest", "when": True, "team": "sales"},
    ]
    routing = {"teams": [{"id": "sales", "calendar": "office"}], "rules": rules}
    policy = RoutingPolicy(1, agreement(traits=TYPES, routing=routing))
    qualified = replace(lead_qualified(**lead), traits=traits)
    return policy.match(qualified).rule.id


@pytest.mark.parametrize(
    ("when", "traits"),
    [
        ('"pricing" in lead.topics', {"topics": ["api", "pricing"]}),
        ('"pricing" in lead.topics', {"topics": "pricing"}),
        ("lead.company_size > 200", {"company_size": "250"}),
        ("lead.customer", {"customer": True}),
        ('lead.country.endsWith("!")', {"country": "x" * 5_000 + "!"}),
        ('lead.country == "DE"', {**{f"other_{it}": it for it in range(30)}, "country": "DE"}),
    ],
    ids=["list", "list of one", "number", "boolean", "long text", "many traits"],
)
def test_rules_read_every_declared_trait_with_its_type(when: str, traits: dict[str, Any]) -> None:
    context = LeadContext(traits={"country": "FR"})

    assert rule_of(when, context=context) == "rest"
    assert rule_of(when, traits, context=context) == "matches"


@pytest.mark.parametrize(
    ("persona", "rule"),
    [("buyer", "matches"), ("user", "rest"), (None, "rest")],
    ids=["buyer", "other", "earlier message"],
)
def test_rules_read_the_persona_that_scoring_announced(persona: str | None, rule: str) -> None:
    assert rule_of('persona == "buyer"', context=LeadContext(persona=persona)) == rule


@pytest.mark.parametrize(
    ("cause", "hand_raised", "rule"),
    [
        ("required_trait", True, "matches"),
        ("threshold", False, "rest"),
        ("hand_raise", None, "matches"),
        ("threshold", None, "rest"),
    ],
    ids=["other cause", "no hand", "earlier message", "earlier message, no hand"],
)
def test_a_raised_hand_is_a_fact_whatever_the_cause(
    *, cause: str, hand_raised: bool | None, rule: str
) -> None:
    assert rule_of("hand_raised", cause=cause, hand_raised=hand_raised) == rule
