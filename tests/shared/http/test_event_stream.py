"""A stream of changes stays alive, ends with its key and with the process, and is one of a limited number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import REGISTRY

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.auth.queries import revoke_key
from shared.db.session import Sessions
from shared.embedded.postgres import PostgresServer
from shared.http.app import create_app
from shared.http.dependencies import AnyReader
from shared.http.event_stream import (
    STREAM_PROBLEMS,
    EventStream,
    LastEventId,
    OpenStreams,
    open_stream,
)
from shared.messaging.subscriber import FeedSubscriber, chunk_of
from tests.builders import NOON, days
from tests.engine import PATIENCE_S, until
from tests.event_streams import StreamClient, streaming
from tests.serving import serving

pytestmark = pytest.mark.postgres


class Source:
    """A source whose changes the test makes."""

    def __init__(self) -> None:
        self.subscribers: set[FeedSubscriber] = set()
        self.asked_for: list[tuple[str | None, str | None]] = []
        self.subscribed = Event()

    def subscribe(self, rep: str | None, last_event_id: str | None) -> FeedSubscriber:
        subscriber = FeedSubscriber(self.subscribers.discard, rep, last_event_id, limit=10)
        self.subscribers.add(subscriber)
        self.asked_for.append((rep, last_event_id))
        self.subscribed.set()
        return subscriber

    def change(self, number: int) -> None:
        """Hand one change to all."""
        for subscriber in self.subscribers:
            subscriber.hand([chunk_of("changed", b'{"n":%d}' % number, f"p{number}")], f"p{number}")


class Api:
    """An API with one stream, whose clock and heartbeat the test sets."""

    def __init__(self, sessions: Sessions, streams: OpenStreams) -> None:
        self.sessions = sessions
        self.now = NOON
        self.source = Source()
        self.app: FastAPI = create_app(
            title="t", summary="s", sessions=sessions, time_source=self.present
        )
        self.app.state.streams = streams
        self.app.state.changes = self.source
        self.url = ""

        @self.app.get(
            "/stream", status_code=200, response_class=EventStream, responses=STREAM_PROBLEMS
        )
        async def stream(
            request: Request, caller: AnyReader, last_event_id: LastEventId = None
        ) -> EventStream:
            return open_stream(request, caller, last_event_id)

    def present(self) -> datetime:
        return self.now

    def key(self, scope: KeyScope = KeyScope.OPS) -> str:
        """A new key for the rep or the owner Grace."""
        with self.sessions.begin() as session:
            return create_key(session, scope=scope, subject="grace", now=NOON)

    @contextmanager
    def stream(
        self, key: str | None = None, last_event_id: str | None = None
    ) -> Iterator[StreamClient]:
        """An open stream, after its first heartbeat."""
        with streaming(f"{self.url}/stream", key or self.key(), last_event_id) as client:
            client.beat()
            yield client


@contextmanager
def api_with(sessions: Sessions, streams: OpenStreams | None = None) -> Iterator[Api]:
    api = Api(sessions, streams or OpenStreams())
    with serving(api.app) as api.url:
        yield api


@pytest.fixture
def api(sessions: Sessions) -> Iterator[Api]:
    with api_with(sessions) as api:
        yield api


@pytest.fixture
def lively(sessions: Sessions) -> Iterator[Api]:
    """An API whose heart beats fast."""
    with api_with(sessions, OpenStreams(heartbeat_s=0.05)) as api:
        yield api


def test_changes_come_with_their_positions(api: Api) -> None:
    with api.stream() as client:
        headers = client.response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
        for number in (1, 2):
            api.source.change(number)
            event = client.next()
            assert event == ("changed", f"p{number}", {"n": number})


def test_a_rep_subscribes_as_that_rep_and_resumes_by_the_last_id(api: Api) -> None:
    with api.stream(api.key(KeyScope.REP), "p7"), api.stream():
        assert api.source.asked_for == [("grace", "p7"), (None, None)]


def test_heartbeats_carry_the_position(lively: Api) -> None:
    with lively.stream() as client:
        assert client.beat() is None
        lively.source.change(4)
        assert client.next().id == "p4"
        assert client.beat() == "p4"


def test_a_stream_ends_when_its_key_is_revoked(lively: Api) -> None:
    key = lively.key()
    with lively.stream(key) as client:
        client.beat()
        with lively.sessions.begin() as session:
            revoke_key(session, key.split("_")[2], now=NOON)
        lively.now = NOON + days(1)  # past what the cache of keys trusts
        assert client.end() == []
    until(lambda: not lively.source.subscribers)


def test_a_stream_goes_on_while_the_database_is_away(
    mortal_postgres: PostgresServer, mortal_sessions: Sessions
) -> None:
    with api_with(mortal_sessions, OpenStreams(heartbeat_s=0.05)) as api, api.stream() as client:
        mortal_postgres.stop("immediate")
        api.now = NOON + days(1)
        for _ in range(3):
            client.beat()
        api.source.change(1)
        while client.last_id is None:
            client.next()
        mortal_postgres.start()


def test_a_stream_ends_with_its_source(api: Api) -> None:
    with api.stream() as client:
        for subscriber in api.source.subscribers:
            subscriber.call(subscriber.end)
        assert client.end() == []


def test_a_client_that_leaves_is_forgotten(lively: Api) -> None:
    with lively.stream():
        assert len(lively.source.subscribers) == 1
    until(lambda: not lively.source.subscribers)


def test_streams_end_at_once_when_the_process_stops(sessions: Sessions) -> None:
    with api_with(sessions) as api:
        client = httpx.Client(timeout=10)
        request = client.build_request(
            "GET", f"{api.url}/stream", headers={"authorization": f"Bearer {api.key()}"}
        )
        response = client.send(request, stream=True)
        assert response.status_code == 200
        stopped_s = time.monotonic()
    assert time.monotonic() - stopped_s < 2
    assert response.read().startswith(b": ")
    client.close()
    assert api.source.subscribers == set()


def test_more_streams_than_the_limit_are_refused_until_one_ends(sessions: Sessions) -> None:
    with api_with(sessions, OpenStreams(limit=1)) as api:
        headers = {"authorization": f"Bearer {api.key()}"}
        with api.stream():
            refused = httpx.get(f"{api.url}/stream", headers=headers, timeout=PATIENCE_S)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
            assert int(refused.headers["retry-after"]) > 0
            assert len(api.source.subscribers) == 1
        until(lambda: not api.source.subscribers)
        with api.stream():
            pass


def test_without_kafka_there_is_no_stream(api: Api) -> None:
    api.app.state.changes = None
    refused = httpx.get(
        f"{api.url}/stream", headers={"authorization": f"Bearer {api.key()}"}, timeout=PATIENCE_S
    )
    assert (refused.status_code, refused.json()["code"]) == (404, "no_streams")


def test_a_stream_is_measured_until_it_begins(api: Api) -> None:
    name = "leadbaton_http_request_seconds_sum"
    labels = {"method": "GET", "route": "/stream", "status": "200"}
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    opened_s = time.monotonic()
    with api.stream() as client, suppress(EOFError):
        while time.monotonic() - opened_s < 1.5:
            api.source.change(1)
            client.next()

    def measured() -> float:
        return (REGISTRY.get_sample_value(name, labels) or 0.0) - before

    until(lambda: measured() > 0)
    assert measured() < 1.2


def test_a_subscriber_whose_event_loop_has_ended_is_no_error() -> None:
    async def subscribe() -> FeedSubscriber:
        return FeedSubscriber(lambda _: None, None, None, limit=1)

    subscriber = asyncio.run(subscribe())
    subscriber.hand([b"late"], "p")
    assert subscriber.position() is None
