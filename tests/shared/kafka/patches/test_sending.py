"""Records that are put together wake the producer's thread once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts.topics import MARKETING_EVENTS
from shared.kafka.config import KafkaConfig
from shared.kafka.patches.sending import BatchProducer

TOPIC = MARKETING_EVENTS.name


class Counting:
    """A producer that counts how often its thread is woken."""

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self.woken = 0
        self._wakeup, producer._sender.wakeup = producer._sender.wakeup, self._count

    def _count(self) -> None:
        self.woken += 1
        self._wakeup()


@pytest.fixture
def client(broker: KafkaConfig) -> Iterator[Counting]:
    producer: Any = BatchProducer(
        bootstrap_servers=list(broker.bootstrap), enable_idempotence=False, linger_ms=1_000
    )
    producer.partitions_for(TOPIC)
    yield Counting(producer)
    producer.close(timeout=5)


def test_the_unpatched_send_wakes_the_thread_for_each_batch(
    client: Counting, broker: KafkaConfig
) -> None:
    """The patch is no longer needed when this fails."""
    for partition in range(broker.partitions):
        client.producer.send(TOPIC, b"value", partition=partition)
    assert client.woken == broker.partitions


def test_records_that_are_put_do_not_wake_the_thread(client: Counting, broker: KafkaConfig) -> None:
    futures = [
        client.producer.put(TOPIC, it, b"key", b"value", ()) for it in range(broker.partitions)
    ]
    assert client.woken == 0
    client.producer.wake()
    assert client.woken == 1
    assert [it.get(timeout=10).partition for it in futures] == list(range(broker.partitions))
