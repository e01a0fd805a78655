"""The producer reports acknowledgements truthfully, in limited time and memory."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import structlog

from shared.contracts.topic import Outgoing
from shared.embedded.broker import Broker
from shared.embedded.postgres import free_port
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import BrokerAway
from shared.kafka.pending import PendingLimit
from shared.kafka.producer import Ack, Producer
from tests.conftest import config_at, kafka_on
from tests.engine import events, producing, until
from tests.shared.kafka.hiding import hiding


def keyed(key: str, value: str) -> Outgoing:
    return Outgoing("marketing.events", key.encode(), value.encode(), ())


def test_publishing_returns_when_every_record_is_acknowledged(producer: Producer) -> None:
    asyncio.run(producer.publish(events(50)))
    asyncio.run(producer.publish([]))
    outcomes = producer.send_all([keyed("p", str(it)) for it in range(3)])
    offsets = [it.offset for it in outcomes if isinstance(it, Ack)]
    assert offsets == list(range(offsets[0], offsets[0] + 3))


def test_many_publish_at_once(producer: Producer) -> None:
    async def publish_many() -> None:
        await asyncio.gather(*(producer.publish(events(2)) for _ in range(200)))

    asyncio.run(publish_many())
    assert producer.ready()


def test_without_a_broker_the_producer_starts_and_refuses_at_once(unused_broker: Broker) -> None:
    with closing(Producer(kafka_on(unused_broker))) as producer:
        assert not producer.ready()
        with pytest.raises(BrokerAway):
            producer.check()
        with pytest.raises(BrokerAway, match="reached"):
            asyncio.run(producer.publish(events(1)))
        assert all(isinstance(it, BrokerAway) for it in producer.send_all(events(2)))


@pytest.fixture
def unused_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that is not started yet."""
    broker = Broker(tmp_path_factory.mktemp("broker"), free_port())
    yield broker
    broker.stop()


def test_the_producer_finds_a_broker_that_starts_later(unused_broker: Broker) -> None:
    with closing(Producer(kafka_on(unused_broker))) as producer:
        unused_broker.start()
        create_topics(kafka_on(unused_broker))
        until(producer.ready)
        producer.check()
        asyncio.run(producer.publish(events(1)))


def test_topics_that_are_made_after_the_producer_asked_for_them_are_published_to(
    embedded_broker: Broker,
) -> None:
    """Processes may start before `leadbaton migrate` has made the topics."""
    with (
        hiding("marketing.events", embedded_broker) as proxy,
        closing(Producer(config_at(proxy.bootstrap))) as producer,
    ):
        with structlog.testing.capture_logs() as lines:
            until(lambda: any(it["event"] == "kafka not ready for publishing" for it in lines))
        assert lines[-1]["missing"] == ["marketing.events"]
        with pytest.raises(BrokerAway, match=r"misses the topic marketing\.events"):
            producer.check()
        with pytest.raises(BrokerAway, match="does not know the topic yet"):
            asyncio.run(producer.publish(events(1)))
        assert all(isinstance(it, Exception) for it in producer.send_all(events(1)))

        create_topics(kafka_on(embedded_broker))
        proxy.visible.set()
        until(producer.ready)

        asyncio.run(producer.publish(events(1)))
        [outcome] = producer.send_all(events(1))
        assert isinstance(outcome, Ack)


def test_a_topic_that_does_not_exist_is_refused_at_once(producer: Producer) -> None:
    with pytest.raises(BrokerAway, match="topic"):
        asyncio.run(producer.publish([Outgoing("no.such.topic", b"k", b"v", ())]))


def test_a_broker_that_does_not_answer_ends_the_wait_in_time_and_then_refuses_at_once(
    producer: Producer, embedded_broker: Broker
) -> None:
    embedded_broker.pause()
    with pytest.raises(BrokerAway, match="acknowledged nothing"):
        asyncio.run(producer.publish(events(1)))
    assert not producer.ready()
    with pytest.raises(BrokerAway, match="acknowledges nothing"):
        producer.check()
    embedded_broker.resume()
    until(producer.ready)
    asyncio.run(producer.publish(events(1)))


def test_after_an_outage_one_request_tries_the_broker_while_the_others_are_refused_at_once(
    producer: Producer, embedded_broker: Broker
) -> None:
    async def try_it() -> None:
        first = asyncio.create_task(producer.publish(events(1)))
        await asyncio.sleep(0)
        with pytest.raises(BrokerAway, match="acknowledged nothing"):
            await asyncio.wait_for(producer.publish(events(1)), 0.5)
        embedded_broker.resume()
        await first

    embedded_broker.pause()
    began_s, cpu_s = time.monotonic(), time.process_time()
    with pytest.raises(BrokerAway, match="acknowledged nothing"):
        asyncio.run(producer.publish(events(1)))
    until(producer.ready)
    assert (
        time.process_time() - cpu_s < (time.monotonic() - began_s) / 5
    )  # it waits, it does not spin
    asyncio.run(try_it())
    assert producer.ready()


def test_unacknowledged_records_are_limited(broker: KafkaConfig, embedded_broker: Broker) -> None:
    async def overfill(producer: Producer) -> BaseException | None:
        embedded_broker.pause()
        first = asyncio.create_task(producer.publish(events(10)))
        await asyncio.sleep(0)
        with pytest.raises(BrokerAway, match="10 records wait"):
            await producer.publish(events(1))
        embedded_broker.resume()
        await first
        return first.exception()

    with producing(broker, PendingLimit(records=10)) as producer:
        assert asyncio.run(overfill(producer)) is None


def test_after_an_error_no_more_records_of_its_key_are_sent(producer: Producer) -> None:
    too_large = keyed("a", "x" * 1_100_000)
    outcomes = producer.send_all([keyed("a", "1"), too_large, keyed("a", "3"), keyed("b", "1")])
    assert [isinstance(it, Ack) for it in outcomes] == [True, False, False, True]


def test_the_producer_closes_while_a_thread_still_publishes(broker: KafkaConfig) -> None:
    producer = Producer(broker)
    until(producer.ready)
    thread = threading.Thread(target=lambda: producer.send_all(events(500)))
    thread.start()
    producer.close()
    thread.join()
