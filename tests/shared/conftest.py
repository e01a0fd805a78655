"""A producer that is ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.engine import until


@pytest.fixture
def producer(broker: KafkaConfig) -> Iterator[Producer]:
    """On the broker that the test has."""
    producer = Producer(broker)
    until(producer.ready)
    yield producer
    producer.close()
