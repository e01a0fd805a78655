"""Reps over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def grace(client: RoutingClient) -> Any:
    """Grace, as the list shows her to ops."""
    return client.get("/reps")["items"][0]


def test_reps_are_listed_with_the_number_of_their_handoffs(client: RoutingClient) -> None:
    [grace, linus] = client.get("/reps")["items"]

    assert (grace["id"], grace["holds"], grace["open_limit"]) == ("grace", 1, 1)
    assert (linus["active"], linus["endpoint_disabled"]) == (False, None)
    assert [it["id"] for it in client.get("/reps", by="grace")["items"]] == ["grace"]


def test_the_names_of_all_reps_are_listed_and_to_a_rep_the_own(client: RoutingClient) -> None:
    grace = {"id": "grace", "name": "Grace"}
    assert client.get("/reps/names")["items"] == [grace, {"id": "linus", "name": "Linus"}]
    assert client.get("/reps/names", by="grace")["items"] == [grace]


def test_a_rep_is_listed_with_hours_and_share(client: RoutingClient) -> None:
    hire_linus(client)

    [grace, linus] = client.get("/reps")["items"]

    assert grace["hours"] == {"calendar": "office", "open": True, "until": "2026-11-18T17:00:00Z"}
    assert (grace["today"], grace["last_assigned_at"]) == (1, "2026-11-18T12:00:00Z")
    assert grace["share"] == {
        "period": "2026-11",
        "assigned": 1,
        "credit": 0.0,
        "fair": 0.5,
        "real": 0.5,
        "shortfall": 0.0,
    }
    assert (linus["share"]["assigned"], linus["share"]["credit"]) == (0, 1.0)
    assert (grace["time_off"], linus["time_off"]) == ([], [])


def test_a_rep_sees_no_share_because_it_would_tell_the_loads_of_others(
    client: RoutingClient,
) -> None:
    [own] = client.get("/reps", by="grace")["items"]

    assert (own["today"], own["share"]) == (1, None)


def test_a_rep_is_away_until_back(client: RoutingClient) -> None:
    away = client.post("/reps/grace/away", {}, by="ops")
    again = client.post("/reps/grace/away", {"until": "2026-11-20T08:00:00Z"}, by="ops")
    listed = grace(client)
    back = client.post("/reps/grace/back", by="ops")

    assert away["time_off"] == [
        {"since": "2026-11-18T12:10:00Z", "until": None, "actor": "ops/ops"}
    ]
    assert [it["until"] for it in again["time_off"]] == ["2026-11-20T08:00:00Z"]
    assert listed == again
    assert back["time_off"] == grace(client)["time_off"] == []


def test_time_off_of_the_file_is_shown_beside_and_stays(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        time_off = [
            {"from": f"2026-12-{day:02}", "to": f"2026-12-{day + 1:02}"} for day in range(1, 9)
        ]
        past = {"from": "2026-11-01", "to": "2026-11-02"}
        importing(session, entry("grace", time_off=[past, *time_off]))

    away = client.post("/reps/grace/away", {"from": "2026-11-19T00:00:00Z"}, by="ops")
    back = client.post("/reps/grace/back", by="ops")

    assert [it["actor"] for it in away["time_off"]] == ["ops/ops", None, None, None, None]
    assert [it["since"][:10] for it in back["time_off"]] == [
        f"2026-12-0{day}" for day in range(1, 6)
    ]


def test_a_rep_who_has_left_gets_no_leads_and_keeps_what_they_hold(client: RoutingClient) -> None:
    hire_linus(client)
    left = client.post("/reps/grace/deactivate", by="ops")
    again = client.post("/reps/grace/deactivate", by="ops")
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="eve"))

    assert (left["active"], left["holds"]) == (False, 1)
    assert again == left
    [delivery] = client.get("/deliveries", endpoint="rep/grace")["items"]
    assert delivery["state"] == "cancelled"
    assert client.get("/handoffs", by="grace", status=403)["code"] == "inactive_rep"
    assert {it["rep"] for it in client.get("/handoffs")["items"]} == {"grace", "linus"}
    plan = client.post("/reroutes", {"rep": "grace"}, by="ops")
    assert plan["planned"] == [{"rep": "linus", "count": 1}]


def test_an_import_makes_a_rep_of_its_file_active_again(client: RoutingClient) -> None:
    client.post("/reps/grace/deactivate", by="ops")
    with client.sessions.begin() as session:
        importing(session, entry("grace"))

    assert grace(client)["active"] is True


def test_who_is_not_there_cannot_leave(client: RoutingClient) -> None:
    assert client.post("/reps/nobody/deactivate", by="ops", status=404)["code"] == "no_such_rep"


@pytest.mark.parametrize(
    ("rep", "body", "status", "code"),
    [
        ("nobody", {}, 404, "no_such_rep"),
        ("No%20body", {}, 422, "invalid_request"),
        ("grace", {"until": "2026-11-18T12:00:00Z"}, 422, "empty_range"),
        ("grace", {"until": "2026-12-01"}, 422, "invalid_request"),
        ("grace", {"until": "2300-12-01T00:00:00Z"}, 422, "invalid_request"),
        ("grace", {"reason": "flu"}, 422, "invalid_request"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(
    client: RoutingClient, rep: str, body: dict[str, str], status: int, code: str
) -> None:
    refused = client.post(f"/reps/{rep}/away", body, by="ops", status=status)

    assert refused["code"] == code


@pytest.fixture
def alone(sessions: Sessions) -> Iterator[TestClient]:
    """A client of ops where reps are imported and no agreement is published."""
    with sessions.begin() as session:
        importing(session, entry("grace"))
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as client:
        client.headers["authorization"] = f"Bearer {key}"
        yield client


def test_without_an_agreement_reps_are_listed_without_hours_and_shares(alone: TestClient) -> None:
    [listed] = alone.get("/v1/reps").json()["items"]

    assert (listed["id"], listed["hours"], listed["share"], listed["today"]) == (
        "grace",
        None,
        None,
        None,
    )
