"""The facts of a handoff, from scoring and from routing."""

from __future__ import annotations

from datetime import datetime

from services.alignment.domain.facts import (
    MAX_NAME,
    MAX_TRAITS,
    HandoffFacts,
    Key,
    first_of,
    names_of,
    shortened,
    with_progress,
    with_qualification,
)
from services.alignment.domain.progress import progress_of
from shared.contracts.payloads import Change, Scores, Touch
from tests.builders import an_id
from tests.services.alignment.builders import after_noon, history, qualified, step

EMPTY = HandoffFacts(an_id("ada"), 1)
LEAD = qualified(tier="hot", agreement_version=2, scores=Scores(fit=70, engagement=30, grade="A3"))
PROGRESS = progress_of(history(step(Change.ACCEPTED, 5, tier="warm", campaign="spring")))


def test_what_scoring_and_routing_say_is_the_same_in_either_order() -> None:
    facts = with_progress(with_qualification(EMPTY, LEAD), PROGRESS)

    assert facts == with_qualification(with_progress(EMPTY, PROGRESS), LEAD)
    assert facts.key == Key(an_id("ada"), 1)
    assert (facts.tier, facts.campaign, facts.agreement_version) == ("hot", "autumn", 2)
    assert (facts.fit, facts.engagement) == (70, 30)
    assert (facts.team, facts.rep, facts.accepted_at) == ("sales", "grace", after_noon(5))


def test_until_scoring_was_read_routing_says_what_it_knows_of_the_lead() -> None:
    facts = with_progress(EMPTY, PROGRESS)

    assert not facts.is_announced
    assert (facts.tier, facts.campaign, facts.qualified_at) == ("warm", "spring", after_noon(0))
    assert facts.fit is None


def test_a_campaign_is_the_last_one_or_else_the_first() -> None:
    assert with_qualification(EMPTY, qualified(campaign=None)).campaign is None


def test_the_traits_that_have_a_value_are_kept_by_name() -> None:
    traits = {
        "company": "Acme",
        "country": "",
        "size": 0,
        "tags": [],
        "title": None,
        "is_new": False,
    }

    facts = with_qualification(EMPTY, qualified(traits=traits))

    assert facts.traits == ("company", "is_new", "size")
    assert with_qualification(EMPTY, qualified(traits={})).traits == ()
    assert with_qualification(EMPTY, qualified()).traits is None, "a message of an older version"
    assert len(names_of({f"trait {number}": 1 for number in range(MAX_TRAITS + 1)})) == MAX_TRAITS


def test_the_event_that_qualified_a_lead_happened_before_it_qualified() -> None:
    def triggered_at(minute: float) -> datetime | None:
        event = Touch(id="1", type="demo_requested", time=after_noon(minute))
        return with_qualification(EMPTY, qualified(why_now=event)).triggered_at

    assert triggered_at(-5) == after_noon(-5)
    assert triggered_at(5) == after_noon(0)
    assert with_qualification(EMPTY, qualified()).triggered_at == after_noon(0)


def test_a_persona_is_that_of_the_qualification() -> None:
    assert with_qualification(EMPTY, qualified(persona="champion")).persona == "champion"
    assert with_qualification(EMPTY, qualified(persona="")).persona is None


def test_names_are_bounded_and_never_empty() -> None:
    assert shortened("") is None
    assert shortened("x" * 300) == "x" * MAX_NAME
    assert first_of(()) is None
    assert first_of(("website", "crm")) == "crm"
