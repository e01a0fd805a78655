"""Endpoints over HTTP: which of them answer, and new secrets for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from services.routing.main import build_api
from services.routing.queries import endpoints
from services.routing.queries.breakers import Failures, Hang, count_failures, open_breakers
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

KEY = SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE=")
NOW = NOON + timedelta(minutes=10)


@pytest.fixture
def ops(sessions: Sessions) -> Iterator[TestClient]:
    """A client with a key of ops, where Grace was given a lead."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    with TestClient(build_api(sessions, time_source=lambda: NOW, secret_key=KEY)) as client:
        client.headers["authorization"] = f"Bearer {key}"
        yield client


def test_the_list_of_endpoints_shows_each_state_and_the_pending_webhooks(
    ops: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        open_breakers(session, [Hang("rep/grace", "127.0.0.1:9", host_answers=True)], now=NOON)
        endpoints.disable_endpoint(session, "ops", reason="gone", now=NOON)
        count_failures(session, [Failures("team/sales", 5, NOON)], now=NOON)

    items = {it["id"]: it for it in ops.get("/v1/endpoints").json()["items"]}
    hanging = ops.get("/v1/endpoints", params={"state": "hanging"}).json()["items"]

    assert {id: it["state"] for id, it in items.items()} == {
        "ops": "disabled",
        "rep/grace": "hanging",
        "team/sales": "failing",
    }
    assert (items["team/sales"]["since"], items["team/sales"]["failures"]) == (
        "2026-11-18T12:00:00Z",
        5,
    )
    assert hanging == [items["rep/grace"]]
    assert items["rep/grace"] == {
        "id": "rep/grace",
        "host": "127.0.0.1:9",
        "format": "standard",
        "state": "hanging",
        "since": "2026-11-18T12:00:00Z",
        "failures": 1,
        "disabled_reason": None,
        "pending": 1,
        "old_secret_until": None,
        "public_key": None,
        "old_key_until": None,
    }
    assert items["ops"]["disabled_reason"] == "gone"


def test_a_rotation_shows_the_new_secret_once_and_until_when_the_old_one_signs(
    ops: TestClient,
) -> None:
    answer = ops.post("/v1/endpoints/rep/grace/rotate-secret")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["secret"].startswith("whsec_")
    assert body["old_secret_until"] == "2026-11-19T12:10:00Z"
    [grace] = [it for it in ops.get("/v1/endpoints").json()["items"] if it["id"] == "rep/grace"]
    assert grace["old_secret_until"] == body["old_secret_until"]
    assert body["secret"] not in ops.get("/v1/endpoints").text


def test_a_new_key_is_shown_by_its_public_key_and_the_private_key_never(
    ops: TestClient,
) -> None:
    first = ops.post("/v1/endpoints/rep/grace/rotate-key").json()
    answer = ops.post("/v1/endpoints/rep/grace/rotate-key")

    assert answer.status_code == 200
    body = answer.json()
    assert (first["id"], first["old_key_until"]) == ("rep/grace", None)
    assert body["public_key"].startswith("whpk_")
    assert body["public_key"] != first["public_key"]
    assert body["old_key_until"] == "2026-11-19T12:10:00Z"
    [grace] = [it for it in ops.get("/v1/endpoints").json()["items"] if it["id"] == "rep/grace"]
    assert (grace["public_key"], grace["old_key_until"]) == (
        body["public_key"],
        body["old_key_until"],
    )
    unknown = ops.post("/v1/endpoints/rep/nobody/rotate-key")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_endpoint")


@pytest.mark.parametrize(
    ("id", "status", "code"),
    [
        ("rep/nobody", 404, "unknown_endpoint"),
        ("rep/%00", 422, "invalid_request"),
        ("elsewhere", 422, "invalid_request"),
        ("rep/" + "x" * 300, 422, "invalid_request"),
    ],
)
def test_the_rotation_of_an_unknown_endpoint_is_refused(
    ops: TestClient, id: str, status: int, code: str
) -> None:
    answer = ops.post(f"/v1/endpoints/{id}/rotate-secret")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_rotation_without_the_secret_key_is_refused_with_the_reason(
    ops: TestClient, sessions: Sessions
) -> None:
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as client:
        client.headers["authorization"] = ops.headers["authorization"]
        answer = client.post("/v1/endpoints/rep/grace/rotate-secret")

    assert (answer.status_code, answer.json()["code"]) == (500, "bad_secret_key")
