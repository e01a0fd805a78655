"""Leads go to the owners of their accounts, in whatever team, and on to the rule's team where the owner may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.handoff import handoff_id
from services.routing.domain.reassignment import Reassignment
from services.routing.handlers import on_reassignment
from services.routing.handlers.reroutes import plan_reroute
from services.routing.queries.reroutes import moves_of
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import build_assigner, importing, qualifying
from tests.services.routing.owners import (
    CLAIRE,
    GRACE,
    LATER,
    OWNER,
    TRAITS,
    WAIT,
    answer,
    counted,
    decision,
    excluded,
    opened,
    routing,
    stranger,
    where_is,
)

pytestmark = pytest.mark.postgres


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
