"""A feed survives outages of Kafka and of the database, says so, and reads only while somebody subscribes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.db.session import Sessions
from shared.embedded.broker import Broker
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.feed import Excerpt
from tests.conftest import config_at
from tests.engine import PATIENCE_S, until
from tests.shared.messaging.feeds import (
    excerpts,
    feeding,
    numbers,
    run,
    running_feeds,
    send,
    subscribed,
)

pytestmark = pytest.mark.postgres


def test_an_outage_of_kafka_is_told_and_a_log_that_was_lost_means_reload(
    broker: KafkaConfig, embedded_broker: Broker, sessions: Sessions
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as client:
                await asyncio.to_thread(embedded_broker.kill)
                outage = await client.next()
                assert (outage.name, outage.id) == ("outage", None)
                assert "Kafka" in outage.data["message"]
                async with subscribed(feed, first="outage") as second:
                    await asyncio.to_thread(embedded_broker.start)
                    await asyncio.to_thread(create_topics, broker)
                    assert (await client.next()).name == "reload"
                    assert {(await second.next()).name for _ in range(2)} >= {"reload"}

    run(journey)


def test_a_pause_of_kafka_loses_nothing(
    broker: KafkaConfig, embedded_broker: Broker, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as client:
                await asyncio.to_thread(embedded_broker.pause)
                assert (await client.next()).name == "outage"
                await asyncio.to_thread(embedded_broker.resume)
                assert (await client.next()).name == "recovered"
                await asyncio.to_thread(until, producer.ready)
                await send(producer, 3)
                assert await client.ids(3) == numbers(0, 2)

    run(journey)


def test_a_topic_that_does_not_exist_is_waited_for(
    embedded_broker: Broker, sessions: Sessions
) -> None:
    config = config_at(embedded_broker.bootstrap)

    async def journey() -> None:
        with feeding(config, sessions) as feed:
            async with subscribed(feed, first="outage") as client:
                await asyncio.to_thread(create_topics, config)
                assert (await client.next()).name == "start"

    run(journey)


def test_an_outage_of_the_database_is_told_and_loses_nothing(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    failures = [True]

    def failing(session: Session, messages: Sequence[Message[MarketingEvent]]) -> Sequence[Excerpt]:
        if failures:
            failures.pop()
            session.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        return excerpts(session, messages)

    async def journey() -> None:
        with feeding(broker, sessions, show=failing) as feed:
            async with subscribed(feed) as client:
                await send(producer, 2)
                assert (await client.next()).name == "outage"
                assert (await client.next()).name == "recovered"
                assert await client.ids(2) == numbers(0, 1)

    run(journey)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_error_ends_the_subscriptions_and_the_next_one_starts_anew(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    faults = [RuntimeError("a bug"), OperationalError("select", {}, ValueError("no outage"))]

    def failing(session: Session, messages: Sequence[Message[MarketingEvent]]) -> Sequence[Excerpt]:
        if faults:
            raise faults.pop()
        return excerpts(session, messages)

    async def journey() -> None:
        with feeding(broker, sessions, show=failing) as feed:
            for start in range(2):
                async with subscribed(feed) as client:
                    await send(producer, 1, start=start)
                    async with asyncio.timeout(PATIENCE_S):
                        while not client.subscriber.has_ended():
                            assert await client.subscriber.take(1) == b""
            async with subscribed(feed) as client:
                await send(producer, 1, start=2)
                assert await client.ids(1) == ["2"]

    run(journey)


def test_without_subscribers_the_feed_stops_and_starts_again(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions, linger_s=0) as feed:
            async with subscribed(feed) as client:
                await send(producer, 1)
                position = (await client.next()).id
            await asyncio.to_thread(until, lambda: running_feeds() == 0)
            await send(producer, 1, start=1)
            async with subscribed(feed, last_id=position, first="reload") as client:
                await send(producer, 1, start=2)
                assert await client.ids(1) == ["2"]

    run(journey)


def test_a_closed_feed_starts_no_thread(broker: KafkaConfig, sessions: Sessions) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            feed.close()
            async with subscribed(feed, first=None) as client:
                assert running_feeds() == 0
                assert await client.subscriber.take(0) == b""

    run(journey)
