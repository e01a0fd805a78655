"""A producer that is ready, and a ledger of what was done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.engine import Ledger, until


@pytest.fixture
def producer(broker: KafkaConfig) -> Iterator[Producer]:
    producer = Producer(broker)
    until(producer.ready)
    yield producer
    producer.close()


@pytest.fixture
def ledger(sessions: Sessions) -> Ledger:
    return Ledger(sessions)
