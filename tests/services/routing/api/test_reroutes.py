"""Re-routes over HTTP: plan, confirmation, progress, cancellation."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.routing.handlers import tick
from tests.services.routing.builders import build_assigner
from tests.services.routing.client import ADA, NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres

NOBODY = UUID(int=0)


def test_a_plan_is_confirmed_and_carried_out_by_the_worker(client: RoutingClient) -> None:
    hire_linus(client)

    plan = client.post("/reroutes", {"rep": "grace", "reason": "has left"}, by="ops")
    path = f"/reroutes/{plan['id']}"

    assert (plan["state"], plan["actor"], plan["total"], plan["pending"]) == (
        "planned", "ops/ops", 1, 1,
    )  # fmt: skip
    assert plan["planned"] == [{"rep": "linus", "count": 1}]
    [move] = client.get(f"{path}/handoffs", by="ops")["items"]
    assert (move["handoff_id"], move["planned_rep"]) == (str(ADA), "linus")
    assert (move["lead"], move["outcome"], move["rep"]) == ("ada@example.com", None, None)
    assert client.get(f"/handoffs/{ADA}")["rep"] == "grace"

    for _ in range(2):
        running = client.post(f"{path}/confirm", by="ops")
    assert (running["state"], running["confirmed_at"]) == ("running", "2026-11-18T12:10:00Z")
    with client.sessions.begin() as session:
        tick(session, NOW, assigner=build_assigner(session))

    done = client.get(path)
    assert (done["state"], done["pending"], done["outcomes"]) == ("done", 0, {"reassigned": 1})
    [move] = client.get(f"{path}/handoffs")["items"]
    assert (move["outcome"], move["rep"]) == ("reassigned", "linus")
    assert client.get(f"/handoffs/{ADA}")["history"][-1]["details"] == {"reason": "has left"}
    assert client.post(f"{path}/cancel", by="ops", status=409)["code"] == "reroute_ended"


def test_a_plan_is_cancelled(client: RoutingClient) -> None:
    plan = client.post("/reroutes", {"rep": "grace"}, by="ops")

    cancelled = client.post(f"/reroutes/{plan['id']}/cancel", by="ops")

    assert plan["planned"] == [{"rep": None, "count": 1}]
    assert cancelled["state"] == "cancelled"
    refused = client.post(f"/reroutes/{plan['id']}/confirm", by="ops", status=409)
    assert refused["code"] == "reroute_ended"
    assert client.announced_changes() == [("assigned", "grace")]


def test_the_handoffs_of_a_re_route_are_listed_in_pages(client: RoutingClient) -> None:
    plan = client.post("/reroutes", {"rep": "grace"}, by="ops")
    path = f"/reroutes/{plan['id']}/handoffs"

    assert client.get(path, limit=1)["next"] is None
    assert client.get(path, after="x", status=400)["code"] == "bad_cursor"


@pytest.mark.parametrize("act", ["", "/confirm", "/cancel", "/handoffs"])
def test_unknown_ones_are_not_there(client: RoutingClient, act: str) -> None:
    path = f"/reroutes/{NOBODY}{act}"
    is_read = act in ("", "/handoffs")
    refused = client.get(path, status=404) if is_read else client.post(path, by="ops", status=404)
    assert refused["code"] == "unknown_reroute"
    assert (
        client.post("/reroutes", {"rep": "nobody"}, by="ops", status=422)["code"] == "unknown_rep"
    )
