"""Fixtures of the tests of `shared`: brokers, a producer, a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.db.session import Sessions
from shared.embedded.postgres import free_port
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.conftest import config_at
from tests.engine import Ledger, producing
from tests.kafka.server import ApacheKafka


@pytest.fixture
def apache_kafka(tmp_path: Path) -> Iterator[ApacheKafka]:
    """A fresh Apache Kafka without topics."""
    server = ApacheKafka(tmp_path / "kafka", free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> KafkaConfig:
    """The embedded broker, or the one that the test names, with every topic."""
    server = request.getfixturevalue(getattr(request, "param", "embedded_broker"))
    config = replace(config_at(server.bootstrap), keeps_log=server.keeps_log)
    create_topics(config)
    return config


@pytest.fixture
def ledger(sessions: Sessions) -> Ledger:
    return Ledger(sessions)


@pytest.fixture
def producer(broker: KafkaConfig) -> Iterator[Producer]:
    """A producer for the broker of the test."""
    with producing(broker) as producer:
        yield producer
