"""Reassignments by ops, over HTTP: who gets the lead, what is published, who is notified."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from services.routing.queries.claims import ClaimLimits, Lease, claim_deliveries
from services.routing.tables import deliveries
from shared.contracts.payloads import Change
from tests.builders import lead_qualified
from tests.services.routing.builders import (
    announced,
    build_assigner,
    entry,
    importing,
    qualifying,
)
from tests.services.routing.client import ADA, NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def importing_reps(client: RoutingClient, *entries: dict[str, Any]) -> None:
    with client.sessions.begin() as session:
        importing(session, entry("grace", capacity={"open": 1}), *entries)


def webhooks(client: RoutingClient, type: str = "handoff.withdrawn") -> list[tuple[str, Any]]:
    """The endpoint and the data of each webhook of this type."""
    statement = select(deliveries.c.endpoint, deliveries.c.body).where(deliveries.c.type == type)
    with client.sessions() as session:
        rows = session.execute(statement.order_by(deliveries.c.position)).all()
    return [(row.endpoint, orjson.loads(row.body)["data"]) for row in rows]


def test_a_reassignment_is_published_as_one_step_with_its_actor_and_reason(
    client: RoutingClient,
) -> None:
    hire_linus(client)
    for _ in range(2):
        moved = client.say("reassign", {"hop": 1, "reason": "wrong region"}, by="ops")

    assert (moved["rep"], moved["hop"], moved["state"]) == ("linus", 2, "assigned")
    assert client.announced_changes() == [("assigned", "grace"), ("reassigned", "linus")]
    with client.sessions() as session:
        step = announced(session)[-1]
    assert (step.actor, step.reason, step.recycle) == ("ops/ops", "wrong region", False)
    assert [it["state"] for it in moved["deliveries"]][-1] == "cancelled"
    grace = next(it for it in moved["decision"]["candidates"] if it["rep"] == "grace")
    assert (grace["open"], grace["assigned"]) == (0, 0)


def test_the_rep_who_loses_the_handoff_is_notified_once_with_the_rep_who_has_it(
    client: RoutingClient,
) -> None:
    hire_linus(client)
    for _ in range(2):
        client.say("reassign", {"hop": 1}, by="ops")

    [(endpoint, data)] = webhooks(client)
    assert endpoint == "rep/grace"
    assert (data["handoff"]["id"], data["handoff"]["hop"]) == (str(ADA), 1)
    assert data["withdrawn"] == {
        "reason": "reassigned_by_ops",
        "actor": "ops/ops",
        "handoff_id": str(ADA),
        "state": "assigned",
        "team": "sales",
        "rep": "linus",
    }


def test_a_withdrawal_waits_for_an_attempt_of_its_assignment_that_is_in_flight(
    client: RoutingClient,
) -> None:
    hire_linus(client)
    limits, lease = ClaimLimits(9, 9, 9, 9), Lease(timedelta(seconds=30))
    with client.sessions.begin() as session:
        assert len(claim_deliveries(session, limits, lease=lease, now=NOW)) == 1

    client.say("reassign", {"hop": 1}, by="ops")

    with client.sessions() as session:
        rows = session.execute(select(deliveries.c.type, deliveries.c.next_attempt_at)).all()
    due = {row.type: row.next_attempt_at for row in rows if row.type == "handoff.withdrawn"}
    assert due == {"handoff.withdrawn": NOW + lease.lasts}


def test_without_an_eligible_rep_the_handoff_is_reassigned_to_none_and_waits(
    client: RoutingClient,
) -> None:
    waiting = client.say("reassign", {"hop": 1}, by="ops")

    assert (waiting["state"], waiting["rep"]) == ("waiting", None)
    assert client.announced_changes()[1:] == [("reassigned", None), ("waiting", None)]
    [(_, data)] = webhooks(client)
    assert (data["withdrawn"]["state"], data["withdrawn"]["rep"]) == ("waiting", None)


def test_ops_may_name_the_rep(client: RoutingClient) -> None:
    importing_reps(client, entry("linus"), entry("tim", weight=0.001))

    moved = client.say("reassign", {"hop": 1, "to": "tim"}, by="ops")

    assert (moved["rep"], moved["decision"]["strategy"]) == ("tim", "named")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"hop": 1, "to": "grace"}, 409, "not_eligible"),
        ({"hop": 1, "to": "linus"}, 409, "not_eligible"),
        ({"hop": 1, "to": "linus", "force": True, "reason": "big deal"}, 409, "not_eligible"),
        ({"hop": 1, "to": "nobody"}, 422, "unknown_rep"),
        ({"hop": 1, "to": "linus", "force": True}, 422, "invalid_request"),
        ({"hop": 1, "force": True, "reason": "big deal"}, 422, "invalid_request"),
        ({"hop": 2}, 409, "handoff_moved"),
    ],
)
def test_a_reassignment_that_is_refused_changes_nothing(
    client: RoutingClient, body: dict[str, Any], status: int, code: str
) -> None:
    assert client.say("reassign", body, by="ops", status=status)["code"] == code

    assert client.announced_changes() == [("assigned", "grace")]
    assert webhooks(client) == []


def test_force_with_a_reason_overrides_capacity(client: RoutingClient) -> None:
    importing_reps(client, entry("linus", capacity={"open": 1}))
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="alan"))
    body = {"hop": 1, "to": "linus"}
    refused = client.say("reassign", body, by="ops", status=409)

    forced = client.say("reassign", {**body, "force": True, "reason": "big deal"}, by="ops")

    assert "holds 1 of 1" in refused["detail"]
    assert (forced["rep"], forced["decision"]["strategy"]) == ("linus", "forced")
    linus = next(it for it in forced["decision"]["candidates"] if it["rep"] == "linus")
    assert [it["reason"] for it in linus["excluded"]] == ["full"]


def test_a_waiting_handoff_can_be_given_to_a_named_rep(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="alan"))
    [waiting] = client.get("/handoffs", state="waiting")["items"]
    assert client.say("reassign", {"hop": 0}, id=waiting["id"], by="ops", status=409)
    body = {"hop": 0, "to": "grace", "force": True, "reason": "she asked for it"}

    for _ in range(2):
        assigned = client.say("reassign", body, id=waiting["id"], by="ops")

    assert (assigned["rep"], assigned["hop"]) == ("grace", 1)
    with client.sessions() as session:
        step = announced(session)[-1]
    assert (step.change, step.actor, step.reason) == (
        Change.ASSIGNED,
        "ops/ops",
        "she asked for it",
    )
    assert webhooks(client) == []


def test_a_rep_for_whom_ops_reject_is_notified_but_not_after_an_own_answer(
    client: RoutingClient,
) -> None:
    hire_linus(client)
    client.say("reject", {"reason": "no_capacity"}, by="ops")
    client.say("reject", {"reason": "not_ready"}, by="linus")

    [(endpoint, data)] = webhooks(client)
    assert (endpoint, data["withdrawn"]["rep"]) == ("rep/grace", "linus")
    assert (data["withdrawn"]["reason"], data["withdrawn"]["actor"]) == ("no_capacity", "ops/ops")


def test_a_recycle_by_ops_notifies_the_rep_that_nobody_has_the_lead(client: RoutingClient) -> None:
    client.say("reject", {"reason": "not_ready"}, by="ops")

    [(_, data)] = webhooks(client)
    assert (data["withdrawn"]["state"], data["withdrawn"]["rep"]) == ("recycled", None)


def test_a_reassignment_needs_the_key_of_ops(client: RoutingClient) -> None:
    assert client.say("reassign", {"hop": 1}, by="grace", status=403)["code"] == "wrong_scope"


def test_an_unknown_handoff_cannot_be_reassigned(client: RoutingClient) -> None:
    unknown = "00000000-0000-0000-0000-000000000001"
    refused = client.say("reassign", {"hop": 1}, id=unknown, by="ops", status=404)
    assert refused["code"] == "unknown_handoff"


def test_a_closed_handoff_cannot_be_reassigned(client: RoutingClient) -> None:
    client.say("win")
    refused = client.say("reassign", {"hop": 1}, by="ops", status=409)
    assert "won by grace" in refused["detail"]
