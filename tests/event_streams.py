"""A client of streams of changes: it reads server-sent events of a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any, NamedTuple

import httpx
import orjson
from fastapi import FastAPI

from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.messaging import outbox
from shared.messaging.feed import Feed, FeedTopic
from tests.engine import producing, running_relay, until
from tests.loopback import NO_TLS
from tests.serving import serving

TIMEOUT = httpx.Timeout(10.0)
"""How long tests wait for bytes of a stream."""

OUTAGES = frozenset({"outage", "recovered"})
"""The events at the ends of an outage of Kafka."""


class StreamedEvent(NamedTuple):
    """One event: its name, the position after it, its data."""

    name: str
    id: str | None
    data: Any


class StreamClient:
    """The events of an open stream, one after the other."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id: str | None = None
        """The last id that came, also with a heartbeat."""
        self._blocks = self._read_blocks()

    def next(self) -> StreamedEvent:
        """The next event that is no heartbeat."""
        for block in self._blocks:
            self.last_id = block.get("id", self.last_id)
            if "data" in block:
                return StreamedEvent(block["event"], block.get("id"), orjson.loads(block["data"]))
        raise EOFError

    def next_of(self, *names: str) -> StreamedEvent:
        """The next event, which must have one of these names, after outages that a busy machine causes."""
        event = self.next()
        while event.name in OUTAGES:
            event = self.next()
        assert event.name in names, event
        return event

    def beat(self) -> str | None:
        """Read up to the next heartbeat, which must come before an event; returns the last id."""
        block = next(self._blocks)
        assert "data" not in block, block
        self.last_id = block.get("id", self.last_id)
        return self.last_id

    def end(self) -> list[str]:
        """Read until the stream ends; the names of the events that came."""
        return [block["event"] for block in self._blocks if "data" in block]

    def _read_blocks(self) -> Iterator[dict[str, str]]:
        block: dict[str, str] = {}
        for line in self.response.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
            else:
                yield block
                block = {}


@contextmanager
def streaming(url: str, key: str, last_event_id: str | None = None) -> Iterator[StreamClient]:
    """An open stream, which must be answered with 200."""
    headers = {"authorization": f"Bearer {key}"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT, verify=NO_TLS) as response:
        assert response.status_code == 200, response.read()
        yield StreamClient(response)


@contextmanager
def streaming_api(
    app: FastAPI, topics: Sequence[FeedTopic[Any]], sessions: Sessions, config: KafkaConfig
) -> Iterator[str]:
    """The URL of the app while it serves with a feed of these topics, and a relay publishes the outbox.

    What is in the outbox before is published by then, so that no stream begins with it.
    """
    with ExitStack() as stack:
        feed = stack.enter_context(closing(Feed(topics, config=config, sessions=sessions)))
        app.state.changes = feed
        producer = stack.enter_context(producing(config))
        stack.enter_context(running_relay(sessions, producer, config))
        url = stack.enter_context(serving(app))
        until(partial(_has_published, sessions))
        yield url


def _has_published(sessions: Sessions) -> bool:
    """Whether the outbox has nothing left to publish."""
    with sessions() as session:
        return not outbox.unpublished(session, limit=1)
