"""Leads are found by half a name, company or e-mail address, and listed by their latest qualification."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, handoff_changed, marketing_event, minutes
from tests.services.scoring.api.clients import LeadClient, client_with_key
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres

PEOPLE = (
    ("ines.mueller@tidewater-analytics.com", {"name": "Inês Müller", "company": "Tidewater"}),
    ("bob@gmail.com", {"first_name": "Bob", "last_name": "O'Neill", "company": "École 42"}),
    ("tia@acme.io", {"name": "Tia Maria"}),
)


def emails(lines: Iterable[dict[str, Any]]) -> list[str]:
    return [it["email"] for it in lines]


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> LeadClient:
    """Three people who asked for a demo one after the other, and a visitor."""
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        for number, (email, traits) in enumerate(PEOPLE):
            at = NOON + minutes(number)
            worker.take(
                marketing_event("demo_requested", email=email, traits=traits, time=at), now=at
            )
        worker.take(marketing_event(email=None, anonymous_id="a", traits={"name": "Zoe"}))
    return client_with_key(client, sessions, KeyScope.OPS)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("ines.mueller@tide", [0]),
        ("ines mull", [0]),
        ("MÜLLER", [0]),
        ("inês", [0]),
        ("analyt", [0]),
        ("ti", [2, 0]),
        ("ti mar", [2]),
        ("ecole 4", [1]),
        ("o'neill", [1]),
        ("neill bob gm", [1]),
        ("acme.io", [2]),
        ("tia@acme.i", [2]),
        ("uller", []),
        ("nobody", []),
    ],
)
def test_a_search_finds_by_the_beginnings_of_words(
    ops: LeadClient, query: str, matches: list[int]
) -> None:
    page = ops.get(q=query)
    assert emails(page["items"]) == [PEOPLE[it][0] for it in matches]
    assert page["next"] is None


def test_a_line_shows_who_the_lead_is_and_how_it_scores(ops: LeadClient) -> None:
    [line] = ops.get(q="neill")["items"]
    lead = ops.get(email="bob@gmail.com")
    assert {it: line[it] for it in ("name", "company", "account", "known")} == {
        "name": "Bob O'Neill",
        "company": "École 42",
        "account": None,
        "known": True,
    }
    shared_fields = ("id", "stage", "email", "fit", "engagement", "grade", "qualifications")
    assert {it: line[it] for it in shared_fields} == {it: lead[it] for it in shared_fields}
    at = "2026-11-18T12:01:00Z"
    assert (line["last_event_at"], line["qualified_at"]) == (at, at)


def test_a_search_has_pages(ops: LeadClient) -> None:
    first = ops.get(q="ti", limit=1)
    second = ops.get(q="ti", limit=1, after=first["next"])
    assert emails(first["items"] + second["items"]) == [PEOPLE[2][0], PEOPLE[0][0]]
    assert second["next"] is None
    assert ops.get("", 400, q="ti", after="x")["code"] == "bad_cursor"


@pytest.mark.parametrize("query", ["", "a", "é", "'", "& | !", "-" * 40])
def test_a_search_needs_two_letters(ops: LeadClient, query: str) -> None:
    assert ops.get("", 422, q=query)["code"] == "short_search"


def test_an_identifier_counts_before_a_search(ops: LeadClient) -> None:
    assert ops.get(email="bob@gmail.com", q="ines")["email"] == "bob@gmail.com"


def test_without_a_search_the_latest_qualifications_are_listed(ops: LeadClient) -> None:
    first = ops.get(limit=2)
    rest = ops.get(limit=2, after=first["next"])
    assert emails(first["items"] + rest["items"]) == [it for it, _ in reversed(PEOPLE)]
    assert rest["next"] is None


def test_a_lead_that_qualified_twice_is_listed_once(sessions: Sessions, ops: LeadClient) -> None:
    bob = ops.get(email="bob@gmail.com")
    with sessions.begin() as session:
        statement = "insert into scoring.stages (lead_id, stage, cause, at) values (:id, 'qualified', 'again', :at)"
        session.execute(text(statement), {"id": bob["id"], "at": NOON + minutes(9)})

    lines = ops.get()["items"]
    assert emails(lines) == [PEOPLE[it][0] for it in (1, 2, 0)]
    assert lines[0]["qualified_at"] == "2026-11-18T12:09:00Z"


def test_a_new_name_replaces_the_old_one(sessions: Sessions, ops: LeadClient) -> None:
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event(
                email="tia@acme.io", traits={"name": "Tia Moon"}, time=NOON + minutes(5)
            )
        )
    assert emails(ops.get(q="moon")["items"]) == ["tia@acme.io"]
    assert ops.get(q="maria")["items"] == []


def test_a_merged_lead_is_found_once_by_the_words_of_both(
    sessions: Sessions, ops: LeadClient
) -> None:
    with sessions.begin() as session:
        Worker(session).take(marketing_event(email=None, user_id="u9", traits={"name": "Hopper"}))
    assert emails(ops.get(q="hopper")["items"]) == [None]
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event(email="bob@gmail.com", user_id="u9", time=NOON + minutes(5))
        )
    [line] = ops.get(q="neill")["items"]
    assert line["email"] == "bob@gmail.com"
    assert ops.get(q="hopper")["items"] in ([], [line])
    with sessions() as session:
        assert session.scalar(text("select count(*) from scoring.lead_words")) == 4


def test_a_rep_finds_only_leads_that_the_rep_holds(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    ines, tia = (ops.get(email=PEOPLE[it][0])["id"] for it in (0, 2))
    grace, linus = (
        client_with_key(client, sessions, KeyScope.REP, it) for it in ("grace", "linus")
    )
    with sessions.begin() as session:
        worker = Worker(session)
        worker.follow(handoff_changed(lead=UUID(ines)), handoff_changed(lead=UUID(tia)))
        worker.follow(
            handoff_changed(Change.REASSIGNED, lead=UUID(tia), rep="linus", hop=2, sequence=2)
        )

    assert emails(grace.get(q="ti")["items"]) == emails(grace.get()["items"]) == [PEOPLE[0][0]]
    assert emails(linus.get(q="ti")["items"]) == emails(linus.get()["items"]) == [PEOPLE[2][0]]


def test_searches_and_lists_are_answered_from_indexes(sessions: Sessions) -> None:
    plans = {
        "ix_lead_words_words": "select lead_id from scoring.lead_words"
        " where words @@ cast('tide:*' as tsquery) limit 1000",
        "ix_stages_qualified": "select lead_id from scoring.stages where stage = 'qualified'"
        " order by at desc, lead_id desc limit 50",
        "ix_holdings_rep": "select lead_id from scoring.holdings where rep = 'grace'",
    }
    with sessions() as session:
        session.execute(text("set local enable_seqscan = off"))
        for index, statement in plans.items():
            plan = "\n".join(session.scalars(text(f"explain {statement}")))
            assert index in plan
