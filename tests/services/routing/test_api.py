"""Answers, handoffs, deliveries and reps, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from services.routing.domain.handoff import handoff_id
from services.routing.main import build_api
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified
from tests.services.routing.answering import ADA, NOW, Desk, hire_linus
from tests.services.routing.desks import announced, entry, importing, office, qualifying

pytestmark = pytest.mark.postgres


def test_a_lead_is_accepted_contacted_and_won(desk: Desk) -> None:
    assert desk.say("accept")["state"] == "accepted"
    assert desk.say("contact", {"channel": "phone", "outcome": "no_answer"})["state"] == "contacted"
    desk.say("contact", {"channel": "phone", "outcome": "reached"})
    won = desk.say("win", {"amount": 1200.5, "currency": "EUR"})

    assert (won["state"], won["rep"]) == ("won", "grace")
    assert [it["change"] for it in won["history"]] == [
        "assigned",
        "accepted",
        "contacted",
        "contacted",
        "won",
    ]
    with desk.sessions() as session:
        last = announced(session)[-1]
    assert (last.amount, last.currency, last.rep) == (1200.5, "EUR", "grace")


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("accept", None),
        ("accept", {"occurred_at": "2026-11-18T12:03:00Z"}),
        ("contact", {"channel": "email", "outcome": "reached"}),
        ("win", None),
        ("win", {"amount": 0, "currency": "EUR"}),
        ("lose", {"reason": "price"}),
        ("reject", {"reason": "not_ready"}),
        ("reject", {"reason": "no_capacity"}),
    ],
)
def test_every_answer_may_be_sent_twice(desk: Desk, verb: str, said: Any) -> None:
    hire_linus(desk)
    first = desk.say(verb, said)
    told = desk.told()

    again = desk.say(verb, said)

    assert again == first
    assert desk.told() == told


def test_a_rejected_lead_goes_to_somebody_else_and_costs_no_share(desk: Desk) -> None:
    hire_linus(desk)
    desk.say("reject", {"reason": "no_capacity"})
    given = desk.get(f"/handoffs/{ADA}")

    assert (given["state"], given["rep"], given["hop"]) == ("assigned", "linus", 2)
    assert desk.told() == [("assigned", "grace"), ("rejected", None), ("reassigned", "linus")]
    grace = next(it for it in given["decision"]["candidates"] if it["rep"] == "grace")
    assert grace["excluded"][0]["why"] == "had_it"
    assert grace["assigned"] == 0
    assert [it["state"] for it in given["deliveries"]] == ["pending", "cancelled"]
    with desk.sessions() as session:
        assert [it.recycle for it in announced(session)] == [False, False, False]
    moved = desk.say("accept", status=409)
    assert moved["code"] == "handoff_moved"
    assert "assigned with linus, hop 2" in moved["detail"]


def test_a_rejected_lead_waits_when_nobody_else_may(desk: Desk) -> None:
    waiting = desk.say("reject", {"reason": "no_capacity"})

    assert (waiting["state"], waiting["rep"]) == ("waiting", None)
    assert desk.told()[-2:] == [("rejected", None), ("waiting", None)]


def test_a_reason_that_recycles_returns_the_lead_to_marketing(desk: Desk) -> None:
    desk.say("reject", {"reason": "not_ready"})
    assert desk.get(f"/handoffs/{ADA}")["state"] == "recycled"

    with desk.sessions() as session:
        rejected, returned = announced(session)[-2:]
    assert (rejected.reason, rejected.recycle) == ("not_ready", True)
    assert (returned.change, returned.reason, returned.recycle) == ("returned", "not_ready", True)


def test_what_an_answer_frees_is_given_out_at_once(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        qualifying(session, office(session), lead_qualified(lead="alan"))
    assert desk.told()[-1] == ("waiting", None)

    desk.say("win")

    assert desk.told()[-2:] == [("won", "grace"), ("assigned", "grace")]


def test_ops_answer_for_reps_and_reassign(desk: Desk) -> None:
    hire_linus(desk)
    desk.say("accept", by="ops")
    for _ in range(2):
        moved = desk.say("reassign", {"hop": 1}, by="ops")
        assert (moved["rep"], moved["hop"]) == ("linus", 2)
    desk.say("reassign", {"hop": 2}, by="grace", status=403)
    assert desk.say("contact", {"channel": "x", "outcome": "y", "hop": 1}, by="ops", status=409)
    assert moved["history"][1]["actor"] == "ops/ops"


@pytest.mark.parametrize(
    ("how", "said", "status", "code"),
    [
        ({"by": "linus"}, None, 403, "not_your_handoff"),
        ({"by": "web"}, None, 403, "wrong_scope"),
        ({"id": UUID(int=1)}, None, 404, "unknown_handoff"),
        ({}, {"occurred_at": "2026-11-18T12:12:00Z"}, 422, "impossible_time"),
        ({}, {"occurred_at": "2026-11-18T11:00:00Z"}, 422, "impossible_time"),
        ({}, {"occurred_at": "2026-11-18T11:00:00"}, 422, "invalid_request"),
        ({}, {"when": "now"}, 422, "invalid_request"),
        ({}, {"hop": 2}, 409, "handoff_moved"),
    ],
)
def test_wrong_answers_are_refused(
    desk: Desk, how: dict[str, Any], said: Any, status: int, code: str
) -> None:
    assert desk.say("accept", said, status=status, **how)["code"] == code
    assert desk.told() == [("assigned", "grace")]


@pytest.mark.parametrize(
    ("verb", "said", "id", "code"),
    [
        ("reject", {"reason": "bored"}, ADA, "unknown_reason"),
        ("lose", {"reason": "bored"}, ADA, "unknown_reason"),
        ("lose", {"reason": "price"}, UUID(int=1), "unknown_handoff"),
        ("win", {"amount": 1}, ADA, "invalid_request"),
        ("win", {"amount": 1, "currency": "euro"}, ADA, "invalid_request"),
    ],
)
def test_wrong_reasons_and_sums_are_refused(
    desk: Desk, verb: str, said: Any, id: UUID, code: str
) -> None:
    status = 404 if code == "unknown_handoff" else 422
    assert desk.say(verb, said, id=id, status=status)["code"] == code


def test_an_agreement_without_reasons_takes_any(sessions: Sessions) -> None:
    routing = {**DEFAULT_SECTIONS["routing"], "reject_reasons": [], "loss_reasons": []}
    with sessions.begin() as session:
        here = office(session, routing=routing)
        importing(session, entry("grace"))
        qualifying(session, here, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as client:
        desk = Desk(client, sessions)
        assert desk.say("reject", {"reason": "whatever"})["state"] == "waiting"


def test_handoffs_are_listed_and_filtered_in_pages(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        here = office(session)
        leads = [lead_qualified(lead=f"l{n}", at=NOON - timedelta(hours=n + 1)) for n in range(3)]
        qualifying(session, here, *leads)

    first = desk.get("/handoffs", limit=3)
    rest = desk.get("/handoffs", limit=3, after=first["next"])

    assert [it["lead_id"] for it in first["items"] + rest["items"]] == [
        str(an_id(it)) for it in ("ada", "l0", "l1", "l2")
    ]
    assert rest["next"] is None
    assert len(desk.get("/handoffs", state="waiting")["items"]) == 3
    assert len(desk.get("/handoffs", rep="grace")["items"]) == 1
    assert len(desk.get("/handoffs", lead=str(an_id("l1")))["items"]) == 1
    assert len(desk.get("/handoffs", by="grace", rep="linus")["items"]) == 1
    assert desk.get("/handoffs", by="linus")["items"] == []
    assert desk.get("/handoffs", after="x", status=400)["code"] == "bad_cursor"


def test_one_handoff_tells_its_whole_story(desk: Desk) -> None:
    story = desk.get(f"/handoffs/{ADA}")

    assert story["decision"]["picked"] == "grace"
    assert story["decision"]["agreement_version"] == 1
    assert [it["hop"] for it in story["decisions"]] == [1]
    assert story["lead"]["email"] == "ada@example.com"
    assert [it["type"] for it in story["deliveries"]] == ["handoff.assigned"]
    assert desk.get(f"/handoffs/{ADA}", by="linus", status=403)["code"] == "not_your_handoff"
    assert desk.get(f"/handoffs/{UUID(int=1)}", status=404)["code"] == "unknown_handoff"


def test_a_lead_that_never_had_a_rep_has_a_story_too(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        here = office(session)
        qualifying(session, here, lead_qualified(lead="ada", qualification=2))

    merged = desk.get(f"/handoffs/{handoff_id(an_id('ada'), 2)}")

    assert (merged["state"], merged["merged_into"]) == ("merged", str(ADA))
    assert merged["decision"] is None


def test_deliveries_are_listed_and_told_again(desk: Desk) -> None:
    [delivery] = desk.get("/deliveries", state="pending", handoff=str(ADA))["items"]
    again = desk.post(f"/deliveries/{delivery['id']}/redeliver", by="ops", status=202)

    assert again["id"] == delivery["id"]
    assert again["state"] == "pending"
    assert desk.get("/deliveries", state="exhausted")["items"] == []
    page = desk.get("/deliveries", limit=1)
    assert page["next"] is None
    unknown = desk.post(f"/deliveries/{UUID(int=1)}/redeliver", by="ops", status=404)
    assert unknown["code"] == "unknown_delivery"


def test_deliveries_come_in_pages(desk: Desk) -> None:
    with desk.sessions.begin() as session:
        importing(session, entry("grace"))
        leads = [lead_qualified(lead=f"l{n}") for n in range(2)]
        qualifying(session, office(session), *leads)

    first = desk.get("/deliveries", limit=2)
    rest = desk.get("/deliveries", limit=2, after=first["next"])

    assert (len(first["items"]), len(rest["items"])) == (2, 1)


def test_reps_are_listed_with_what_they_hold(desk: Desk) -> None:
    [grace, linus] = desk.get("/reps")["items"]

    assert (grace["id"], grace["holds"], grace["open_limit"]) == ("grace", 1, 1)
    assert (linus["active"], linus["endpoint_disabled"]) == (False, None)
    assert [it["id"] for it in desk.get("/reps", by="grace")["items"]] == ["grace"]
