"""Each handoff goes to one rep, or waits until one may have it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import State, handoff_id
from services.routing.handlers import Assigner, on_answer, tick
from services.routing.handlers.assignment import PAGE_SIZE
from services.routing.handlers.explanation import explain
from services.routing.queries import handoffs
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import (
    URL,
    announced,
    announced_changes,
    at,
    build_assigner,
    count_by_state,
    entry,
    importing,
    publishing,
    qualifying,
)

pytestmark = pytest.mark.postgres

ONE_OPEN = {"capacity": {"open": 1}}
LATER = NOON + timedelta(minutes=5)


def decision(session: Session, lead: str, qualification: int = 1) -> dict[str, Any]:
    handoff = handoffs.find_handoff(session, handoff_id(an_id(lead), qualification))
    assert handoff is not None
    [*_, newest] = explain(session, handoff, assigner=Assigner(URL))
    return newest


def test_a_batch_is_assigned_hottest_first_then_oldest(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 2}))
    leads = [
        lead_qualified(lead="new", at=NOON),
        lead_qualified(lead="old", at=NOON - timedelta(hours=1)),
        lead_qualified(lead="hot", at=NOON, tier="enterprise"),
    ]

    qualifying(session, assigner, *leads)

    by_lead = {it.lead_id: it.change for it in announced(session)}
    assert by_lead == {
        an_id("hot"): Change.ASSIGNED,
        an_id("old"): Change.ASSIGNED,
        an_id("new"): Change.WAITING,
    }


def test_a_lead_without_an_eligible_rep_waits_and_each_exclusion_has_its_reason(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", **ONE_OPEN), entry("linus", active=False))
    qualifying(session, assigner, lead_qualified(lead="ada"), lead_qualified(lead="alan"))

    waiting = decision(session, "alan")
    if waiting["picked"]:
        waiting = decision(session, "ada")
    excluded = {
        it["rep"]: [exclusion["reason"] for exclusion in it["excluded"]]
        for it in waiting["candidates"]
    }
    assert excluded == {"grace": ["full"], "linus": ["inactive"]}
    assert count_by_state(session) == {State.ASSIGNED: 1, State.WAITING: 1}


def test_without_reps_leads_wait_until_an_import(session: Session) -> None:
    assigner = build_assigner(session)
    qualifying(session, assigner, lead_qualified(lead="ada"))
    importing(session, entry("grace"), now=LATER)

    tick(session, LATER, assigner=assigner)

    assert announced_changes(session) == [("waiting", None), ("assigned", "grace")]


@pytest.mark.parametrize(
    ("rep", "opens"),
    [
        ({"time_off": [{"from": "2026-11-18", "to": "2026-11-20T09:30:00+01:00"}]}, at(20, 8, 30)),
        ({"capacity": {"per_day": 1}}, at(19, 0)),
    ],
    ids=["time off ends", "a new day"],
)
def test_a_waiting_lead_is_assigned_when_time_makes_a_rep_eligible(
    session: Session, rep: dict[str, Any], opens: datetime
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", **rep))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in ("ada", "alan")))
    placed = [it for it in announced_changes(session) if it[0] == "assigned"]

    tick(session, opens - timedelta(seconds=1), assigner=assigner)
    assert [it for it in announced_changes(session) if it[0] == "assigned"] == placed
    tick(session, opens, assigner=assigner)

    assert len([it for it in announced_changes(session) if it[0] == "assigned"]) > len(placed)


def test_a_waiting_lead_is_assigned_when_working_hours_begin(session: Session) -> None:
    assigner = build_assigner(
        session,
        routing={
            "teams": [{"id": "sales", "calendar": "office"}],
            "rules": [{"id": "everybody", "when": True, "team": "sales", "hours": "open"}],
        },
    )
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified(), now=at(18, 18))

    tick(session, at(19, 8, 59), assigner=assigner)
    assert announced_changes(session) == [("waiting", None)]
    qualifying(session, assigner, lead_qualified(lead="alan", tier="enterprise"), now=at(19, 9))

    assert count_by_state(session) == {State.ASSIGNED: 2}


def test_a_lead_comes_back_to_its_previous_rep(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified(lead="ada"))
    close(session, "ada")
    qualifying(session, assigner, lead_qualified(lead="ada", qualification=2), now=LATER)

    assert decision(session, "ada", 2)["strategy"] == "sticky"
    assert announced_changes(session)[-1] == ("assigned", "grace")


def close(session: Session, lead: str) -> None:
    on_answer(
        session,
        handoff_id(an_id(lead), 1),
        Answer(Change.WON),
        actor=Actor("rep", "grace"),
        assigner=build_assigner(session),
        now=LATER,
    )


def test_a_waiting_lead_follows_a_newer_agreement(session: Session) -> None:
    def routed(team: str) -> dict[str, Any]:
        teams = [{"id": it, "calendar": "office"} for it in ("sales", "partners")]
        return {"teams": teams, "rules": [{"id": f"to_{team}", "when": True, "team": team}]}

    assigner = build_assigner(session, routing=routed("partners"))
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified())
    tick(session, NOON, assigner=assigner)
    assert announced_changes(session) == [("waiting", None)]

    publishing(session, routing=routed("sales"))
    tick(session, LATER, assigner=assigner)

    assert announced_changes(session) == [("waiting", None), ("assigned", "grace")]
    assert announced(session)[-1].agreement_version == 2
    assert decision(session, "ada")["rule"] == "to_sales"


def test_the_decision_shows_its_rules_and_candidates(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", weight=2.0), entry("linus", active=False))
    qualifying(
        session,
        assigner,
        lead_qualified(traits={"country": "DE", "company_size": 20, "undeclared": 1}),
        now=NOON + timedelta(seconds=3),
    )

    made = decision(session, "ada")

    assert made["facts"]["lead"] == {
        "country": "DE",
        "company_size": 20.0,
        "email": "ada@example.com",
        "domain": "example.com",
        "account": "example.com",
        "stage": "qualified",
    }
    assert made["facts"]["hand_raised"] is True
    assert (made["agreement_version"], made["rule"], made["strategy"], made["picked"]) == (
        1,
        "everybody",
        "fair_share",
        "grace",
    )
    assert made["rules"] == [{"rule": "everybody", "held": True}]
    assert (made["waited_s"], made["period"]) == (3.0, "2026-11")
    grace, linus = made["candidates"]
    assert (grace["rep"], grace["shortfall"], grace["excluded"]) == ("grace", 0.0, [])
    assert (linus["shortfall"], linus["excluded"][0]["reason"]) == (None, "inactive")


def test_many_waiting_leads_are_assigned_in_turn_page_by_page(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", active=False))
    ages = [timedelta(seconds=number) for number in range(PAGE_SIZE + 20)]
    leads = [lead_qualified(lead=it.seconds, at=NOON - it) for it in ages]
    qualifying(session, assigner, *leads)

    importing(session, entry("grace", capacity={"open": PAGE_SIZE + 5}))
    tick(session, NOON, assigner=assigner)

    placed = {it.lead_id for it in announced(session) if it.change is Change.ASSIGNED}
    assert placed == {an_id(it.seconds) for it in ages[15:]}
    assert count_by_state(session) == {State.ASSIGNED: PAGE_SIZE + 5, State.WAITING: 15}


def test_a_rejected_lead_is_assigned_in_its_turn_however_many_wait(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", **ONE_OPEN), entry("linus", **ONE_OPEN))
    last = lead_qualified(lead="last", at=NOON)
    qualifying(session, assigner, last)
    leads = [lead_qualified(lead=it, at=NOON - timedelta(minutes=1)) for it in range(PAGE_SIZE + 2)]
    qualifying(session, assigner, *leads)

    on_answer(
        session,
        handoff_id(an_id("last"), 1),
        Answer(Change.REJECTED, details={"reason": "no_capacity"}),
        actor=Actor("rep", "grace"),
        assigner=assigner,
        now=LATER,
    )

    assert sorted(announced_changes(session)[-3:], key=str) == [
        ("assigned", "grace"),
        ("rejected", None),
        ("waiting", None),
    ]
    assert announced(session)[-1].lead_id == an_id("last")
    assert count_by_state(session) == {State.ASSIGNED: 2, State.WAITING: PAGE_SIZE + 1}
    assert decision(session, "last")["picked"] is None


def test_a_review_without_a_free_rep_announces_nothing(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", **ONE_OPEN))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in ("ada", "alan")))
    before = announced_changes(session)
    importing(session, entry("grace", **ONE_OPEN))  # it sets the review of the team's waiting leads

    tick(session, LATER, assigner=assigner)

    assert announced_changes(session) == before
    assert count_by_state(session) == {State.ASSIGNED: 1, State.WAITING: 1}
