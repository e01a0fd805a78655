"""Leads wait for their owners as long as that makes sense, and no longer."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.handlers import tick
from services.routing.queries.handoffs import waiting_of
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, publishing, qualifying
from tests.services.routing.owners import (
    CLAIRE,
    GRACE,
    LATER,
    OWNED,
    TRAITS,
    WAIT,
    answer,
    decision,
    excluded,
    opened,
    routing,
    stranger,
    where_is,
)

pytestmark = pytest.mark.postgres


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


def test_leads_that_wait_for_a_full_owner_are_not_read_again(session: Session) -> None:
    assigner = opened(session, **WAIT)
    for lead in "abc":
        qualifying(session, assigner, lead_qualified(lead=lead))

    read = [it.id for it in waiting_of(session, "enterprise", after=None, limit=9)]
    importing(session, GRACE, CLAIRE, accounts={**OWNED, "x.example": "grace"})
    after_import = waiting_of(session, "enterprise", after=None, limit=9)
    answer(session, assigner, "a", Change.WON)

    assert (read, len(after_import)) == ([], 2)
    assert sorted(where_is(session, it)[2] for it in "abc") == ["assigned", "waiting", "won"]
