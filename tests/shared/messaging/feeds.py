"""Feeds of marketing events for tests, and clients that read them event by event."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import orjson
from sqlalchemy.orm import Session

from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.feed import DEFAULT_LIMITS, Excerpt, Feed, FeedLimits, FeedTopic
from shared.messaging.subscriber import FeedSubscriber
from tests.engine import PATIENCE_S, events

EVENTS = MARKETING_EVENTS.name


class Received(NamedTuple):
    """An event that a subscriber got."""

    name: str
    id: str | None
    data: dict[str, str]


def excerpts(_: Session, messages: Sequence[Message[MarketingEvent]]) -> list[Excerpt]:
    """The id of each event; the rep `grace` sees those with an even number."""
    return [
        Excerpt(it, {"grace": it} if int(message.payload.id) % 2 == 0 else {})
        for message in messages
        for it in [orjson.dumps({"id": message.payload.id})]
    ]


@contextmanager
def feeding(
    config: KafkaConfig,
    sessions: Sessions,
    limits: FeedLimits = DEFAULT_LIMITS,
    *,
    linger_s: float = 60.0,
    show: Callable[[Session, Sequence[Message[MarketingEvent]]], Sequence[Excerpt]] = excerpts,
) -> Iterator[Feed]:
    """A feed of marketing events, closed in the end."""
    feed = Feed(
        [FeedTopic(MARKETING_EVENTS, show)],
        config=config,
        sessions=sessions,
        limits=limits,
        linger_s=linger_s,
    )
    try:
        yield feed
    finally:
        feed.close()


class Client:
    """A subscriber whose events are read one by one."""

    def __init__(self, subscriber: FeedSubscriber) -> None:
        self.subscriber = subscriber
        self._waiting: list[Received] = []

    async def next(self) -> Received:
        """The next event."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._waiting:
                self._waiting += parsed(await self.subscriber.take(1))
        return self._waiting.pop(0)

    async def ids(self, count: int) -> list[str]:
        """The ids of the next marketing events, sorted by number."""
        received = [await self.next() for _ in range(count)]
        assert {it.name for it in received} == {EVENTS}, received
        return sorted((it.data["id"] for it in received), key=int)


def parsed(chunks: bytes) -> list[Received]:
    blocks = [
        dict(line.split(": ", 1) for line in block.split("\n"))
        for block in chunks.decode().split("\n\n")[:-1]
    ]
    return [Received(it["event"], it.get("id"), orjson.loads(it["data"])) for it in blocks]


@asynccontextmanager
async def subscribed(
    feed: Feed, rep: str | None = None, last_id: str | None = None, *, first: str | None = "start"
) -> AsyncIterator[Client]:
    """A client of the feed, whose first event has this name."""
    subscriber = feed.subscribe(rep, last_id)
    client = Client(subscriber)
    try:
        if first is not None:
            assert (await client.next()).name == first
        yield client
    finally:
        subscriber.close()


async def send(producer: Producer, count: int, *, start: int = 0) -> None:
    """Publish so many events, whose ids are their numbers."""
    await asyncio.to_thread(producer.send_all, events(count, start=start))


def run(journey: Callable[[], Awaitable[None]]) -> None:
    async def awaited() -> None:
        await journey()

    asyncio.run(awaited())


def running_feeds() -> int:
    """How many feeds read now."""
    return sum(it.name == "feed" for it in threading.enumerate())


def numbers(first: int, last: int) -> list[str]:
    return [str(it) for it in range(first, last + 1)]
