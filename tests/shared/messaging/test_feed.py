"""A feed hands on records as they come, resumes without loss, and says where something is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.contracts.topic import Outgoing
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.feed import DEFAULT_LIMITS
from tests.engine import events
from tests.shared.messaging.feeds import EVENTS, feeding, numbers, parsed, run, send, subscribed

pytestmark = pytest.mark.postgres


def test_records_come_within_a_second_and_each_to_those_who_may_see_it(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as ops, subscribed(feed, "grace") as grace:
                await send(producer, 6)
                async with asyncio.timeout(1):
                    assert await ops.ids(6) == numbers(0, 5)
                assert await grace.ids(3) == ["0", "2", "4"]
                assert ops.subscriber.position() == grace.subscriber.position()

    run(journey)


def test_records_from_before_the_start_do_not_come(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        for number in range(3):
            await send(producer, 1, start=number)
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as client:
                await send(producer, 1, start=3)
                assert await client.ids(1) == ["3"]

    run(journey)


def test_a_subscriber_resumes_without_loss(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as client:
                await send(producer, 10)
                received = [await client.next() for _ in range(4)]
            await send(producer, 5, start=10)
            known = {it.data["id"] for it in received}
            async with subscribed(feed, last_id=received[-1].id, first=None) as client:
                resumed = await client.ids(15 - len(known))
                assert known.isdisjoint(resumed)
                assert sorted(known | set(resumed), key=int) == numbers(0, 14)
                await send(producer, 1, start=15)
                assert await client.ids(1) == ["15"]

    run(journey)


def test_who_comes_back_after_the_ring_was_passed_is_told_to_reload(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions, replace(DEFAULT_LIMITS, ring=5)) as feed:
            async with subscribed(feed) as client, subscribed(feed) as second:
                await send(producer, 1)
                position = (await client.next()).id
                await send(producer, 9, start=1)
                assert await second.ids(10) == numbers(0, 9)
                async with subscribed(feed, last_id=position, first="reload") as late:
                    await send(producer, 1, start=10)
                    assert await late.ids(1) == ["10"]

    run(journey)


def test_a_slow_subscriber_is_told_to_reload_and_holds_no_more_than_its_queue(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions, replace(DEFAULT_LIMITS, queue=20, records=10)) as feed:
            async with subscribed(feed) as slow, subscribed(feed) as reader:
                for start in range(0, 60, 10):
                    await send(producer, 10, start=start)
                    await reader.ids(10)
                received = parsed(await slow.subscriber.take(1))
                assert received[0].name == "reload"
                assert len(received) <= 20
                await send(producer, 1, start=60)
                while await slow.ids(1) != ["60"]:  # others after the reload may come before it
                    pass

    run(journey)


def test_a_feed_that_is_far_behind_skips_and_says_so(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    limits = replace(DEFAULT_LIMITS, records=10, pause_s=0.2, max_behind=50)

    async def journey() -> None:
        with feeding(broker, sessions, limits) as feed:
            async with subscribed(feed) as client:
                await send(producer, 3_000)
                names = []
                while (event := await client.next()).name != "reload":
                    names.append(event.name)
                assert len(names) < 500
                position = event.id
                async with subscribed(feed, last_id=position, first=None) as resumed:
                    number, last = 3_000, 0
                    while last < 3_000:  # the first of these may be skipped too
                        await send(producer, 1, start=number)
                        number += 1
                        for event in parsed(await resumed.subscriber.take(0.5)):
                            last = max(last, int(event.data.get("id", 0)))

    run(journey)


def test_a_record_that_cannot_be_decoded_is_left_out(
    broker: KafkaConfig, sessions: Sessions, producer: Producer
) -> None:
    async def journey() -> None:
        with feeding(broker, sessions) as feed:
            async with subscribed(feed) as client:
                broken = Outgoing(EVENTS, b"p0@x.io", b"{", ())
                await asyncio.to_thread(producer.send_all, [broken, *events(1)])
                assert await client.ids(1) == ["0"]

    run(journey)
