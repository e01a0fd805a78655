"""Segment's HTTP API: its own client, unmodified, and what other clients send by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from segment.analytics.client import Client
from starlette.types import ASGIApp, Receive, Scope, Send

from services.scoring.ingest import Limits, include_routes
from services.scoring.ingest.publishing import Publishing
from shared.contracts.payloads import EventKind, Identity
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.postgres import free_port
from shared.http.app import create_app
from tests.services.scoring.ingest.conftest import NOON, Broker, api
from tests.serving import serving

pytestmark = pytest.mark.postgres


class ResponseLog:
    """Middleware that notes each request's encoding and each answer's status."""

    def __init__(self, app: ASGIApp, notes: list[tuple[str | None, int]]) -> None:
        self.app = app
        self.notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        encoding = dict(scope.get("headers", [])).get(b"content-encoding", b"").decode() or None

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.notes.append((encoding, message["status"]))
            await send(message)

        await self.app(scope, receive, noted)


Real = Callable[..., Client]
Notes = list[tuple[str | None, int]]


@pytest.fixture
def notes() -> Notes:
    """Encoding and status of each request."""
    return []


@pytest.fixture
def real(sessions: Sessions, broker: Broker, key: str, notes: Notes) -> Iterator[Real]:
    """Makes the real client, against a real server."""
    app = api(sessions, broker)
    app.add_middleware(ResponseLog, notes=notes)
    clients: list[Client] = []

    def fail(error: Exception, _: object) -> None:
        raise AssertionError from error

    with serving(app) as url:

        def made(**options: Any) -> Client:
            clients.append(Client(key, host=url, on_error=fail, upload_interval=0.05, **options))
            return clients[-1]

        yield made
        for client in clients:
            if not client.sync_mode:
                client.shutdown()


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("sync", [False, True], ids=["thread", "sync"])
def test_the_real_client_needs_no_change(
    real: Real, broker: Broker, notes: Notes, *, gzip: bool, sync: bool
) -> None:
    client = real(gzip=gzip, sync_mode=sync)
    client.page(
        anonymous_id="a-1",
        category="docs",
        name="Pricing",
        properties={"url": "https://acme.example/pricing?utm_source=x"},
    )
    client.identify("u-1", {"email": "Ada@Acme.example", "jobTitle": "CTO"}, anonymous_id="a-1")
    client.track(
        "u-1", "Demo Requested", {"form": "demo"}, timestamp=datetime(2026, 11, 30, tzinfo=UTC)
    )
    client.screen("u-1", name="Start")
    client.group("u-1", "g-1", {"name": "Acme", "employees": 50, "email": "info@acme.example"})
    client.alias("a-1", "u-1")
    if not sync:
        client.flush()

    assert {status for _, status in notes} == {200}
    assert {encoding for encoding, _ in notes} == {"gzip" if gzip else None}
    page, identify, track, screen, group, alias = broker.events
    assert (page.type, page.identity) == ("page_viewed", Identity(anonymous_id="a-1"))
    assert (page.properties["path"], page.context["campaign"]) == ("/pricing", {"source": "x"})
    assert (page.properties["name"], page.properties["category"]) == ("Pricing", "docs")
    assert (identify.type, identify.kind) == ("identified", EventKind.IDENTIFY)
    assert identify.traits == {"email": "Ada@Acme.example", "job_title": "CTO"}
    assert identify.identity == Identity(
        email="ada@acme.example", user_id="u-1", anonymous_id="a-1"
    )
    assert (track.type, track.properties) == ("demo_requested", {"form": "demo"})
    assert (screen.type, group.type, alias.type) == ("screen_viewed", "grouped", "aliased")
    assert group.traits == {"company": "Acme", "employees": 50, "account": "g-1"}
    assert (group.identity.email, group.context["group_id"]) == (None, "g-1")
    assert alias.kind is EventKind.ALIAS
    assert alias.previous == Identity(user_id="a-1", anonymous_id="a-1")


def test_the_real_client_sends_again_after_a_503_and_the_event_keeps_its_id(
    sessions: Sessions, key: str, notes: Notes
) -> None:
    class Late(Broker):
        """Is there from the second request on."""

        def ready(self) -> bool:
            return bool(notes)

    broker = Late()
    nowhere = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    publishing = Publishing(broker, sessions_on(nowhere), keeps_log=True)
    app = create_app(title="t", summary="s", sessions=sessions)
    include_routes(app, publishing, Limits(), None)
    app.add_middleware(ResponseLog, notes=notes)
    with serving(app) as url:
        client = Client(key, host=url, upload_interval=0.05)
        _, sent = client.track("u-1", "Demo Requested")
        client.flush()
        client.shutdown()
    nowhere.dispose()

    assert [status for _, status in notes] == [503, 200]
    assert broker.event.id == sent["messageId"]


def test_the_real_client_waits_as_long_as_it_is_told(
    sessions: Sessions, broker: Broker, key: str, notes: Notes
) -> None:
    app = api(sessions, broker, limits=Limits(rate=1, burst=1))
    app.add_middleware(ResponseLog, notes=notes)
    with serving(app) as url:
        client = Client(key, host=url, upload_interval=0.05, upload_size=1)
        for number in range(2):
            client.track("u-1", f"event {number}")
        client.flush()
        client.shutdown()

    assert [status for _, status in notes] == [200, 429, 200]
    assert {it.type for it in broker.events} == {"event_0", "event_1"}


SHORT = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}


@pytest.mark.parametrize("call", SHORT)
@pytest.mark.parametrize("path_form", ["/v1/{}", "/v1/{}/", "short"])
def test_every_path_takes_one_event(
    client: TestClient, broker: Broker, call: str, path_form: str
) -> None:
    path = f"/v1/{SHORT[call]}" if path_form == "short" else path_form.format(call)
    response = client.post(path, json={"userId": "u-1", "event": "x", "previousId": "a-1"})

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert broker.event.identity == Identity(user_id="u-1")


def track(**fields: Any) -> dict[str, Any]:
    """An item of a batch."""
    return {"type": "track", "event": "x", "userId": "u-1", "messageId": "m-1", **fields}


def test_bad_events_never_fail_the_batch(
    client: TestClient, broker: Broker, ops: dict[str, str]
) -> None:
    bad = [
        "text",
        track(type="other"),
        track(event=None),
        track(event=" ! "),
        track(userId=None),
        track(userId="[object Object]", anonymousId="00000000-0000-0000-0000-000000000000"),
        track(properties="text"),
        track(timestamp="yesterday"),
        track(timestamp="9999-01-01T00:00:00Z", sentAt="0001-01-01T00:00:00Z"),
        {"type": "alias", "userId": "u-1", "previousId": "null"},
    ]
    response = client.post("/v1/batch", json={"batch": [track(), *bad]})

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert broker.event.id == "m-1"
    kept = client.get("/v1/rejections", headers=ops).json()["items"]
    assert len(kept) == len(bad)
    assert {it["code"] for it in kept} == {"invalid_event", "no_identity"}
    assert (
        kept[0]["text"]
        == client.get("/v1/rejections?limit=1", headers=ops).json()["items"][0]["text"]
    )


@pytest.mark.parametrize("body", [[], {"batch": {}}, {"events": []}])
def test_a_batch_that_is_none_is_refused_whole(
    client: TestClient, ops: dict[str, str], body: Any
) -> None:
    response = client.post("/v1/batch", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_event")
    assert len(client.get("/v1/rejections", headers=ops).json()["items"]) == 1


@pytest.mark.parametrize(
    ("item", "envelope", "time"),
    [
        ({}, {}, NOON),
        ({"timestamp": "2026-12-01T11:00:00Z"}, {}, NOON - timedelta(hours=1)),
        ({"timestamp": "2026-12-01T11:00:00"}, {}, NOON - timedelta(hours=1)),
        (
            {"timestamp": "2020-01-01T10:00:00Z"},
            {"sentAt": "2020-01-01T10:00:30Z"},
            NOON - timedelta(seconds=30),
        ),
        (
            {"originalTimestamp": "2020-01-01T10:00:00Z", "sentAt": "2020-01-01T10:01:00Z"},
            {"timestamp": "2026-12-01T11:00:00Z"},
            NOON - timedelta(minutes=1),
        ),
        (
            {
                "timestamp": "2026-09-01T11:00:00.000Z",
                "originalTimestamp": "2026-12-01T11:59:59.900Z",
                "sentAt": "2026-12-01T12:00:00.000Z",
            },
            {},
            datetime(2026, 9, 1, 11, tzinfo=UTC),
        ),
        (
            {"timestamp": None, "originalTimestamp": "2026-12-01T11:00:00Z"},
            {},
            NOON - timedelta(hours=1),
        ),
        ({}, {"timestamp": "2026-12-01T11:00:00Z"}, NOON - timedelta(hours=1)),
        ({"timestamp": "2026-12-01T11:00:00Z"}, {"sentAt": None}, NOON - timedelta(hours=1)),
    ],
    ids=[
        "none",
        "timestamp",
        "naive",
        "skewed",
        "original",
        "backfilled",
        "original alone",
        "envelope",
        "null",
    ],
)
def test_a_wrong_clock_is_put_right(
    client: TestClient, broker: Broker, item: Any, envelope: Any, time: datetime
) -> None:
    client.post("/v1/batch", json={"batch": [track(**item)], **envelope})
    assert broker.event.time == time


def test_traits_of_the_context_and_the_batch_are_known_to_every_event(
    client: TestClient, broker: Broker
) -> None:
    context = {"traits": {"email": "ada@acme.example", "firstName": "Ada"}, "locale": "de"}
    client.post("/v1/batch", json={"batch": [track(context={"ip": "1.2.3.4"})], "context": context})

    assert broker.event.identity == Identity(email="ada@acme.example", user_id="u-1")
    assert broker.event.traits == {"email": "ada@acme.example", "first_name": "Ada"}
    assert broker.event.context == {"locale": "de", "ip": "1.2.3.4"}


@pytest.mark.parametrize(
    ("ids", "identity"),
    [
        ({"userId": 12, "anonymousId": None}, Identity(user_id="12")),
        ({"userId": True, "anonymousId": "a"}, Identity(anonymous_id="a")),
        (
            {"userId": "Ada@Acme.example"},
            Identity(email="ada@acme.example", user_id="Ada@Acme.example"),
        ),
    ],
)
def test_ids_are_text_and_an_email_as_user_id_is_both(
    client: TestClient, broker: Broker, ids: Any, identity: Identity
) -> None:
    client.post("/v1/track", json={"event": "x", **ids})
    assert broker.event.identity == identity


def test_an_alias_of_an_email_joins_the_email(client: TestClient, broker: Broker) -> None:
    client.post("/v1/alias", json={"userId": "u-1", "previousId": "Old@acme.example"})
    assert broker.event.previous == Identity(email="old@acme.example")
