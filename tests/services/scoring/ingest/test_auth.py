"""Who may send: keys wherever clients put them, browsers' origins, and keys that are not good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.auth.issuing import change_origins, create_key
from shared.auth.keys import KeyScope
from shared.auth.queries import revoke_key
from shared.db.session import Sessions
from tests.services.scoring.ingest.conftest import NOON, Broker, api

pytestmark = pytest.mark.postgres
TRACK = {"event": "x", "userId": "u-1"}
SITE = "https://site.example"


@pytest.fixture
def anybody(sessions: Sessions, broker: Broker) -> TestClient:
    """Sends without a key."""
    return TestClient(api(sessions, broker))


@pytest.mark.parametrize(
    "where",
    [
        lambda key: {"headers": {"authorization": f"bearer {key}"}},
        lambda key: {"auth": (key, "")},
        lambda key: {"headers": {"x-write-key": key}},
        lambda key: {"json": {**TRACK, "writeKey": key}},
    ],
    ids=["bearer", "basic", "header", "body"],
)
def test_a_key_is_found_wherever_clients_put_it(
    anybody: TestClient, broker: Broker, key: str, where: Any
) -> None:
    response = anybody.post("/v1/track", **{"json": TRACK, **where(key)})
    assert response.status_code == 200
    assert broker.event.source == "site"


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ({}, "unknown_key"),
        ({"json": {**TRACK, "writeKey": "lb_ingest_ab:***"}}, "unknown_key"),
        ({"json": {**TRACK, "writeKey": 7}}, "unknown_key"),
        ({"json": [TRACK]}, "unknown_key"),
        ({"auth": ("", "")}, "unknown_key"),
        ({"headers": {"authorization": "Basic !"}}, "unknown_key"),
        ({"headers": {"authorization": "Digest x"}}, "unknown_key"),
        ({"headers": {"x-write-key": "lb_ingest_0123_0123"}}, "unknown_key"),
        ({"headers": {"x-write-key": "k"}}, "unknown_key"),
        ({"headers": {"x-write-key": "lb_ingest"}}, "unknown_key"),
        ({"json": {**TRACK, "writeKey": "lb_ingest_\0_\0"}}, "unknown_key"),
        ({"content": b'{"writeKey": "\\ud800"}'}, "unknown_key"),
    ],
)
def test_without_a_key_nothing_comes_in(
    anybody: TestClient, broker: Broker, ops: dict[str, str], send: Any, code: str
) -> None:
    body = {} if "content" in send else {"json": TRACK}
    response = anybody.post("/v1/track", **{**body, **send})

    assert (response.status_code, response.json()["code"]) == (401, code)
    assert "location" not in response.headers
    assert broker.records == []
    assert anybody.get("/v1/rejections", headers=ops).json()["items"] == []


def test_malformed_json_of_nobody_is_not_kept(anybody: TestClient, ops: dict[str, str]) -> None:
    assert anybody.post("/v1/track", content=b"{").json()["code"] == "malformed_body"
    assert anybody.get("/v1/rejections", headers=ops).json()["items"] == []


@pytest.mark.parametrize("scope", [KeyScope.OPS, KeyScope.REP])
def test_other_scopes_do_not_open_the_door(
    anybody: TestClient, sessions: Sessions, scope: KeyScope
) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=scope, subject="x", now=NOON)
    response = anybody.post("/v1/track", json=TRACK, headers={"x-write-key": key})
    assert (response.status_code, response.json()["code"]) == (403, "wrong_scope")


def test_a_key_ends_when_it_is_revoked_or_its_time_is_over(
    sessions: Sessions, broker: Broker
) -> None:
    now = NOON
    client = TestClient(api(sessions, broker, time_source=lambda: now))
    with sessions.begin() as session:
        expiring, revoked = (
            create_key(
                session,
                scope=KeyScope.INGEST,
                subject="x",
                now=NOON,
                expires_at=NOON + timedelta(seconds=10),
            )
            for _ in range(2)
        )
    for key in (expiring, revoked):
        assert client.post("/v1/track", json=TRACK, auth=(key, "")).status_code == 200
    with sessions.begin() as session:
        revoke_key(session, revoked.split("_")[2], now=NOON)

    now += timedelta(seconds=11)  # both are still remembered
    response = client.post("/v1/track", json=TRACK, auth=(expiring, ""))
    assert (response.status_code, response.json()["code"]) == (401, "expired_key")
    now += timedelta(seconds=30)
    response = client.post("/v1/track", json=TRACK, auth=(revoked, ""))
    assert (response.status_code, response.json()["code"]) == (401, "unknown_key")


def test_a_browser_may_send_from_the_sites_of_the_key(
    anybody: TestClient, key: str, broker: Broker
) -> None:
    headers = {"origin": SITE, "access-control-request-headers": "authorization,content-type"}
    may = anybody.options("/v1/t", headers=headers)
    assert may.status_code == 204
    assert may.headers["access-control-allow-headers"] == "authorization,content-type"

    sent = anybody.post("/v1/t", json={**TRACK, "writeKey": key}, headers={"origin": SITE})
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, SITE)
    failed = anybody.post("/v1/b", json={"writeKey": key}, headers={"origin": SITE})
    assert (failed.status_code, failed.headers["access-control-allow-origin"]) == (422, SITE)
    assert len(broker.records) == 1


def test_a_browser_may_not_send_from_elsewhere(
    anybody: TestClient, key: str, sessions: Sessions, broker: Broker
) -> None:
    response = anybody.post(
        "/v1/t", json={**TRACK, "writeKey": key}, headers={"origin": "https://evil.example"}
    )
    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    assert response.headers["access-control-allow-origin"] == "https://evil.example"
    assert broker.records == []

    with sessions.begin() as session:
        anywhere = create_key(session, scope=KeyScope.INGEST, subject="x", now=NOON, origins=["*"])
    sent = anybody.post("/v1/t", json=TRACK, headers={"origin": "null"}, auth=(anywhere, ""))
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, "null")


def test_a_site_that_is_added_to_a_key_may_send_within_half_a_minute(
    sessions: Sessions, broker: Broker, key: str
) -> None:
    now = NOON
    client = TestClient(
        api(sessions, broker, time_source=lambda: now), headers={"x-write-key": key}
    )
    headers = {"origin": "https://shop.example"}
    key_id = key.split("_")[2]

    refused = client.post("/v1/t", json=TRACK, headers=headers).json()
    assert f"leadbaton keys origins {key_id} --add https://shop.example" in refused["message"]
    nowhere = client.post("/v1/t", json=TRACK, headers={"origin": "null"}).json()
    assert (nowhere["code"], "--add" in nowhere["message"]) == ("origin_not_allowed", False)

    with sessions.begin() as session:
        change_origins(
            session, key_id, add=["https://shop.example"], remove=["https://site.example"], now=now
        )
    now += timedelta(seconds=31)
    assert client.post("/v1/t", json=TRACK, headers=headers).status_code == 200
    assert client.post("/v1/t", json=TRACK, headers={"origin": SITE}).status_code == 403


@pytest.mark.parametrize(
    ("path", "send", "status"),
    [
        ("/v1/t", {"headers": {"x-write-key": "lb_ingest"}}, 401),
        ("/v1/t", {}, 401),
        ("/v1/nowhere", {}, 404),
        ("/v1/t", {"content": b"x" * 1_000_001}, 413),
    ],
    ids=["key", "no key", "path", "size"],
)
def test_a_page_may_read_why_it_was_refused(
    anybody: TestClient, path: str, send: Any, status: int
) -> None:
    anybody.headers["origin"] = SITE
    body: Any = {} if "content" in send else {"json": TRACK}
    response = anybody.post(path, **body, **send)
    assert response.status_code == status
    assert response.headers.get_list("access-control-allow-origin") == [SITE]
    assert response.headers.get_list("vary") == ["origin"]
    if status == 404:
        assert "/v1/track" in response.json()["message"]
