"""Answers over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, lead_qualified
from tests.services.routing.builders import announced, build_assigner, entry, importing, qualifying
from tests.services.routing.client import ADA, NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def test_a_lead_is_accepted_contacted_and_won(client: RoutingClient) -> None:
    assert client.say("accept")["state"] == "accepted"
    assert (
        client.say("contact", {"channel": "phone", "outcome": "no_answer"})["state"] == "contacted"
    )
    client.say("contact", {"channel": "phone", "outcome": "reached"})
    won = client.say("win", {"amount": 1200.5, "currency": "EUR"})

    assert (won["state"], won["rep"]) == ("won", "grace")
    assert [it["change"] for it in won["history"]] == [
        "assigned",
        "accepted",
        "contacted",
        "contacted",
        "won",
    ]
    with client.sessions() as session:
        last = announced(session)[-1]
    assert (last.amount, last.currency, last.rep) == (1200.5, "EUR", "grace")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("accept", None),
        ("accept", {"occurred_at": "2026-11-18T12:03:00Z"}),
        ("accept", {"occurred_at": "2026-11-18"}),
        ("contact", {"channel": "email", "outcome": "reached"}),
        ("win", None),
        ("win", {"amount": 0, "currency": "EUR"}),
        ("lose", {"reason": "price"}),
        ("reject", {"reason": "not_ready"}),
        ("reject", {"reason": "no_capacity"}),
    ],
)
def test_every_answer_may_be_sent_twice(client: RoutingClient, verb: str, body: Any) -> None:
    hire_linus(client)
    first = client.say(verb, body)
    announced_changes = client.announced_changes()

    again = client.say(verb, body)

    assert again == first
    assert client.announced_changes() == announced_changes


def test_the_history_says_when_an_answer_happened_and_when_it_was_reported(
    client: RoutingClient,
) -> None:
    client.say("accept", {"occurred_at": "2026-11-18T12:03:00Z"})

    *_, accepted = client.get(f"/handoffs/{ADA}")["history"]

    assert (accepted["change"], accepted["occurred_at"]) == ("accepted", "2026-11-18T12:03:00Z")
    assert datetime.fromisoformat(accepted["recorded_at"]) == NOW


AUCKLAND = {"id": "auckland", "zone": "Pacific/Auckland", "hours": {"wed": ["09:00-17:00"]}}


@pytest.mark.parametrize("by", ["grace", "ops"])
def test_a_date_is_a_day_of_the_zone_of_the_reps_hours(sessions: Sessions, by: str) -> None:
    sla = DEFAULT_SECTIONS["sla"]
    with sessions.begin() as session:
        calendars = [*sla["calendars"], AUCKLAND]
        assigner = build_assigner(session, sla={**sla, "calendars": calendars})
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
        importing(session, entry("grace", hours="auckland"))  # it is the 19th there
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        client = RoutingClient(http_client, sessions)
        refused = client.say("accept", {"occurred_at": "2026-11-18"}, by=by, status=422)
        *_, accepted = client.say("accept", {"occurred_at": "2026-11-19"}, by=by)["history"]

    assert refused["code"] == "impossible_time"
    assert datetime.fromisoformat(accepted["occurred_at"]) == NOW


def test_a_rejected_lead_goes_to_another_rep_and_costs_no_share(client: RoutingClient) -> None:
    hire_linus(client)
    client.say("reject", {"reason": "no_capacity"})
    loads_after = client.get(f"/handoffs/{ADA}")

    assert (loads_after["state"], loads_after["rep"], loads_after["hop"]) == (
        "assigned",
        "linus",
        2,
    )
    assert client.announced_changes() == [
        ("assigned", "grace"),
        ("rejected", None),
        ("reassigned", "linus"),
    ]
    grace = next(it for it in loads_after["decision"]["candidates"] if it["rep"] == "grace")
    assert grace["excluded"][0]["reason"] == "had_it"
    assert grace["assigned"] == 0
    assert [it["state"] for it in loads_after["deliveries"]] == ["pending", "cancelled"]
    with client.sessions() as session:
        assert [it.recycle for it in announced(session)] == [False, False, False]
    moved = client.say("accept", status=409)
    assert moved["code"] == "handoff_moved"
    assert "assigned with linus, hop 2" in moved["detail"]


def test_a_rejected_lead_waits_when_no_other_rep_is_eligible(client: RoutingClient) -> None:
    waiting = client.say("reject", {"reason": "no_capacity"})

    assert (waiting["state"], waiting["rep"]) == ("waiting", None)
    assert client.announced_changes()[-2:] == [("rejected", None), ("waiting", None)]


def test_a_reject_reason_that_recycles_returns_the_lead_to_marketing(client: RoutingClient) -> None:
    client.say("reject", {"reason": "not_ready"})
    assert client.get(f"/handoffs/{ADA}")["state"] == "recycled"

    with client.sessions() as session:
        rejected, returned = announced(session)[-2:]
    assert (rejected.reason, rejected.then, rejected.recycle) == ("not_ready", "recycle", True)
    assert (returned.change, returned.reason, returned.recycle) == ("returned", "not_ready", True)


def test_a_freed_rep_gets_a_waiting_lead_at_once(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="alan"))
    assert client.announced_changes()[-1] == ("waiting", None)

    client.say("win")

    assert client.announced_changes()[-2:] == [("won", "grace"), ("assigned", "grace")]


def test_ops_answer_for_reps_and_reassign(client: RoutingClient) -> None:
    hire_linus(client)
    client.say("accept", by="ops")
    for _ in range(2):
        moved = client.say("reassign", {"hop": 1}, by="ops")
        assert (moved["rep"], moved["hop"]) == ("linus", 2)
    assert client.say("contact", {"channel": "x", "outcome": "y", "hop": 1}, by="ops", status=409)
    assert moved["history"][1]["actor"] == "ops/ops"


@pytest.mark.parametrize(
    ("how", "body", "status", "code"),
    [
        ({"by": "linus"}, None, 403, "not_your_handoff"),
        ({"by": "web"}, None, 403, "wrong_scope"),
        ({"id": UUID(int=1)}, None, 404, "unknown_handoff"),
        ({}, {"occurred_at": "2026-11-18T12:12:00Z"}, 422, "impossible_time"),
        ({}, {"occurred_at": "2026-11-18T11:00:00Z"}, 422, "impossible_time"),
        ({}, {"occurred_at": "2026-11-18T11:00:00"}, 422, "invalid_request"),
        ({}, {"occurred_at": "2026-11-17"}, 422, "impossible_time"),
        ({}, {"occurred_at": "2026-11-19"}, 422, "impossible_time"),
        ({}, {"occurred_at": "18.11.2026"}, 422, "invalid_request"),
        ({}, {"occurred_at": 1795000000}, 422, "invalid_request"),
        ({}, {"when": "now"}, 422, "invalid_request"),
        ({}, {"hop": 2}, 409, "handoff_moved"),
    ],
)
def test_wrong_answers_are_refused(
    client: RoutingClient, how: dict[str, Any], body: Any, status: int, code: str
) -> None:
    assert client.say("accept", body, status=status, **how)["code"] == code
    assert client.announced_changes() == [("assigned", "grace")]


@pytest.mark.parametrize(
    ("verb", "body", "id", "code"),
    [
        ("reject", {"reason": "bored"}, ADA, "unknown_reason"),
        ("lose", {"reason": "bored"}, ADA, "unknown_reason"),
        ("lose", {"reason": "price"}, UUID(int=1), "unknown_handoff"),
        ("win", {"amount": 1}, ADA, "invalid_request"),
        ("win", {"amount": 1, "currency": "euro"}, ADA, "invalid_request"),
    ],
)
def test_wrong_reasons_and_sums_are_refused(
    client: RoutingClient, verb: str, body: Any, id: UUID, code: str
) -> None:
    status = 404 if code == "unknown_handoff" else 422
    assert client.say(verb, body, id=id, status=status)["code"] == code


def test_an_agreement_without_reasons_takes_any(sessions: Sessions) -> None:
    routing = {**DEFAULT_SECTIONS["routing"], "reject_reasons": [], "loss_reasons": []}
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=routing)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        client = RoutingClient(http_client, sessions)
        assert client.say("reject", {"reason": "whatever"})["state"] == "waiting"
