"""What scoring announced of a qualification."""

from __future__ import annotations

from datetime import datetime

from services.alignment.domain.qualifications import MAX_TRAITS, names_of, qualification_of
from shared.contracts.payloads import Scores, Touch
from tests.builders import an_id
from tests.services.alignment.builders import after_noon, qualified


def test_the_facts_of_a_qualification_are_those_that_scoring_announced() -> None:
    scores = Scores(fit=70, engagement=30, grade="A3")
    facts = qualification_of(qualified(tier="hot", agreement_version=2, scores=scores))

    assert (facts.lead_id, facts.qualification) == (an_id("ada"), 1)
    assert (facts.tier, facts.campaign, facts.agreement_version) == ("hot", "autumn", 2)
    assert (facts.fit, facts.engagement, facts.qualified_at) == (70, 30, after_noon(0))
    assert facts.is_announced


def test_a_campaign_is_the_last_one_or_else_the_first() -> None:
    assert qualification_of(qualified(campaign=None)).campaign is None


def test_the_traits_that_have_a_value_are_kept_by_name() -> None:
    traits = {
        "company": "Acme",
        "country": "",
        "size": 0,
        "tags": [],
        "title": None,
        "is_new": False,
    }

    facts = qualification_of(qualified(traits=traits))

    assert facts.traits == ("company", "is_new", "size")
    assert qualification_of(qualified(traits={})).traits == ()
    assert qualification_of(qualified()).traits is None, "a message of an older version"
    assert len(names_of({f"trait {number}": 1 for number in range(MAX_TRAITS + 1)})) == MAX_TRAITS


def test_the_event_that_qualified_a_lead_happened_before_it_qualified() -> None:
    def triggered_at(minute: float) -> datetime | None:
        event = Touch(id="1", type="demo_requested", time=after_noon(minute))
        return qualification_of(qualified(why_now=event)).triggered_at

    assert triggered_at(-5) == after_noon(-5)
    assert triggered_at(5) == after_noon(0)
    assert qualification_of(qualified()).triggered_at == after_noon(0)


def test_a_persona_is_that_of_the_qualification() -> None:
    assert qualification_of(qualified(persona="champion")).persona == "champion"
    assert qualification_of(qualified(persona="")).persona is None
