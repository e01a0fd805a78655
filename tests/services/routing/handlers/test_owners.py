"""Leads go to the owners of their accounts, in whatever team, and on to the rule's team where the owner may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.domain.reassignment import Reassignment
from services.routing.handlers import Assigner, on_answer, on_reassignment, tick
from services.routing.handlers.explanation import explain
from services.routing.handlers.reroutes import plan_reroute
from services.routing.queries.handoffs import find_handoff
from services.routing.queries.reroutes import moves_of
from services.routing.tables import reps
from shared.contracts.payloads import Change, LeadContext, LeadQualified
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, publishing, qualifying

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(minutes=5)
GRACE = entry("grace")
CLAIRE = entry("claire", team="enterprise", capacity={"open": 1})
OWNED = {"example.com": "claire"}
OWNER, WAIT = {"strategy": "owner"}, {"strategy": "owner", "else": "wait"}


def routing(**rule: Any) -> dict[str, Any]:
    """The section with one rule, for team `sales`, and a second team."""
    return {
        **DEFAULT_SECTIONS["routing"],
        "teams": [{"id": it, "calendar": "office"} for it in ("sales", "enterprise")],
        "rules": [{"id": "all", "when": True, "team": "sales", **rule}],
        "account_owner": "owner",
    }


TRAITS = {**DEFAULT_SECTIONS["traits"], "owner": "string"}


def opened(session: Session, **rule: Any) -> Assigner:
    """Grace is in team `sales`; Claire of team `enterprise` owns example.com, and takes one lead at a time."""
    assigner = build_assigner(session, routing=routing(**rule), traits=TRAITS)
    importing(session, GRACE, CLAIRE, accounts=OWNED)
    return assigner


def where_is(session: Session, lead: str, qualification: int = 1) -> tuple[str, str | None, str]:
    """Where the lead's handoff is: its team, its rep and its state."""
    handoff = find_handoff(session, handoff_id(an_id(lead), qualification))
    assert handoff is not None
    return handoff.team, handoff.rep, handoff.state.value


def decision(session: Session, assigner: Assigner, lead: str) -> dict[str, Any]:
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    *_, last = explain(session, handoff, assigner=assigner)
    return last


def excluded(decision: dict[str, Any], rep: str) -> list[str]:
    """Why the rep could not have it."""
    [candidate] = [it for it in decision["candidates"] if it["rep"] == rep]
    return [it["reason"] for it in candidate["excluded"]]


def answer(session: Session, assigner: Assigner, lead: str, change: Change, **details: Any) -> None:
    on_answer(
        session,
        handoff_id(an_id(lead), 1),
        Answer(change, details=details),
        actor=Actor("ops", "tests"),
        assigner=assigner,
        now=LATER,
    )


def stranger(lead: str, **fields: Any) -> LeadQualified:
    """A lead of an account that nobody owns."""
    context = LeadContext(email="x@other.example", account="other.example", traits={})
    return lead_qualified(lead=lead, context=context, **fields)


def test_the_owner_gets_the_lead_in_the_owners_team(session: Session) -> None:
    assigner = opened(session, **OWNER)

    qualifying(session, assigner, lead_qualified(lead="a"), stranger("b"))

    assert where_is(session, "a") == ("enterprise", "claire", "assigned")
    assert where_is(session, "b") == ("sales", "grace", "assigned")
    made = decision(session, assigner, "a")
    assert (made["owner"], made["strategy"], made["team"]) == ("claire", "owner", "enterprise")
    assert made["margin"] == {"rival": None, "measure": "owner", "by": 0.0}
    assert made["reproduced"]
    assert decision(session, assigner, "b")["owner"] is None


def test_the_team_gets_it_where_the_owner_may_not(session: Session) -> None:
    assigner = opened(session, **OWNER)

    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "ab"))

    whereabouts = {where_is(session, it) for it in "ab"}
    assert whereabouts == {("enterprise", "claire", "assigned"), ("sales", "grace", "assigned")}
    [second] = [it for it in "ab" if where_is(session, it)[0] == "sales"]
    made = decision(session, assigner, second)
    assert (made["owner"], made["strategy"]) == ("claire", "fair_share")
    assert excluded(made, "claire") == ["other_team", "full"]
    assert made["reproduced"]


def test_a_lead_waits_for_its_owner_and_goes_to_the_owner_who_is_free_again(
    session: Session,
) -> None:
    assigner = opened(session, **WAIT)
    qualifying(session, assigner, lead_qualified(lead="a"))
    qualifying(session, assigner, lead_qualified(lead="b"))
    made = decision(session, assigner, "b")

    assert where_is(session, "b") == ("enterprise", None, "waiting")
    assert (made["picked"], made["strategy"], excluded(made, "claire")) == (None, "owner", ["full"])

    answer(session, assigner, "a", Change.WON)

    assert where_is(session, "b") == ("enterprise", "claire", "assigned")


def test_a_lead_whose_owner_left_while_it_waited_goes_on_to_the_team(session: Session) -> None:
    assigner = opened(session, **WAIT)
    qualifying(session, assigner, lead_qualified(lead="a"))
    qualifying(session, assigner, lead_qualified(lead="b"))

    importing(session, GRACE)
    tick(session, LATER, assigner=assigner)

    assert where_is(session, "b") == ("sales", "grace", "assigned")
    assert excluded(decision(session, assigner, "b"), "claire") == [
        "inactive",
        "other_team",
        "full",
    ]


def test_a_lead_that_waits_goes_to_the_next_owner_of_the_team(session: Session) -> None:
    assigner = opened(session, **WAIT)
    qualifying(session, assigner, lead_qualified(lead="a"))
    qualifying(session, assigner, lead_qualified(lead="b"))

    mara = entry("mara", team="enterprise")
    importing(session, GRACE, CLAIRE, mara, accounts={"example.com": "mara"})
    tick(session, LATER, assigner=assigner)

    assert where_is(session, "b") == ("enterprise", "mara", "assigned")


def test_without_anybody_in_the_team_the_lead_waits_there(session: Session) -> None:
    assigner = opened(session, **WAIT)
    qualifying(session, assigner, lead_qualified(lead="a"))
    qualifying(session, assigner, lead_qualified(lead="b"))

    importing(session, entry("grace", active=False), accounts={"example.com": "grace"})
    tick(session, LATER, assigner=assigner)

    assert where_is(session, "b") == ("sales", None, "waiting")


def test_what_the_owner_rejects_goes_to_the_team_of_the_rule(session: Session) -> None:
    assigner = opened(session, **WAIT)
    qualifying(session, assigner, lead_qualified(lead="a"))

    answer(session, assigner, "a", Change.REJECTED, reason="no_capacity")

    assert where_is(session, "a") == ("sales", "grace", "assigned")
    assert excluded(decision(session, assigner, "a"), "claire") == ["other_team", "had_it"]
    assert counted(session) == {"grace": 1, "claire": 0}


def test_ops_reassign_from_the_owner_to_the_team_of_the_rule(session: Session) -> None:
    assigner = opened(session, **OWNER)
    qualifying(session, assigner, lead_qualified(lead="a"))

    on_reassignment(
        session,
        handoff_id(an_id("a"), 1),
        Reassignment("ops/olga"),
        hop=1,
        assigner=assigner,
        now=LATER,
    )

    assert where_is(session, "a") == ("sales", "grace", "assigned")
    assert counted(session) == {"grace": 1, "claire": 0}


def test_a_reroute_plans_for_the_team_of_the_rule(session: Session) -> None:
    assigner = opened(session, **OWNER)
    qualifying(session, assigner, lead_qualified(lead="a"))

    command = Reassignment("ops/olga")
    planned = plan_reroute(session, "claire", command=command, assigner=assigner, now=LATER)

    assert [it.planned_rep for it in moves_of(session, planned.id, limit=9)] == ["grace"]


def test_the_trait_names_an_owner_whom_the_file_does_not_name(session: Session) -> None:
    assigner = opened(session, **OWNER)

    qualifying(session, assigner, stranger("a", traits={"owner": "CLAIRE@example.com"}))

    assert where_is(session, "a") == ("enterprise", "claire", "assigned")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"sticky_across_teams": True}, ("enterprise", "claire", "assigned")),
        ({}, ("sales", "grace", "assigned")),
    ],
)
def test_a_lead_comes_back_to_its_rep_across_teams_where_the_rule_says_so(
    session: Session, rule: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    rules = routing(**rule)["rules"]
    first = {"id": "large", "when": "tier == 'enterprise'", "team": "enterprise"}
    section = {**routing(), "rules": [first, *rules]}
    assigner = build_assigner(session, routing=section, traits=TRAITS)
    importing(session, GRACE, CLAIRE)
    qualifying(session, assigner, stranger("a", tier="enterprise"))
    answer(session, assigner, "a", Change.WON)

    qualifying(session, assigner, stranger("a", qualification=2), now=LATER)

    assert where_is(session, "a", 2) == expected


def test_a_waiting_lead_is_brought_under_the_newest_agreement_with_its_owner(
    session: Session,
) -> None:
    assigner = build_assigner(session, routing=routing(), traits=TRAITS)
    importing(session, entry("grace", capacity={"open": 1}), CLAIRE, accounts=OWNED)
    qualifying(session, assigner, stranger("a"))
    qualifying(session, assigner, lead_qualified(lead="b"), stranger("c"))
    assert {where_is(session, it)[2] for it in "bc"} == {"waiting"}

    publishing(session, routing=routing(**WAIT), traits=TRAITS)
    for _ in range(2):
        tick(session, LATER, assigner=assigner)

    assert where_is(session, "b") == ("enterprise", "claire", "assigned")
    assert where_is(session, "c") == ("sales", None, "waiting")


def test_a_lead_goes_on_only_when_nobody_else_has_locked_the_team(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = opened(session, **WAIT)
        qualifying(session, assigner, lead_qualified(lead="a"))
        qualifying(session, assigner, lead_qualified(lead="b"))
        importing(session, GRACE)
        session.execute(text("update routing.teams set review_at = null where id = 'sales'"))

    with sessions.begin() as blocker:
        blocker.execute(text("select from routing.teams where id = 'sales' for update"))
        with sessions.begin() as session:
            tick(session, LATER, assigner=assigner)
        with sessions() as session:
            assert where_is(session, "b") == ("enterprise", None, "waiting")
    with sessions.begin() as session:
        tick(session, LATER, assigner=assigner)

    with sessions() as session:
        assert where_is(session, "b") == ("sales", "grace", "assigned")


def test_hotter_and_older_leads_of_owners_come_first(session: Session) -> None:
    assigner = opened(session, **OWNER)

    qualifying(
        session,
        assigner,
        lead_qualified(lead="newer"),
        lead_qualified(lead="older", at=NOON - timedelta(hours=1)),
    )

    assert where_is(session, "older") == ("enterprise", "claire", "assigned")
    assert where_is(session, "newer") == ("sales", "grace", "assigned")


def counted(session: Session) -> dict[str, int]:
    return dict(session.execute(select(reps.c.id, reps.c.open)).all())
