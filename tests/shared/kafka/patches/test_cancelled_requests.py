"""A clean stop logs no error, also while a request for metadata is under way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaConsumer

from shared.contracts.topics import MARKETING_EVENTS
from shared.embedded.broker import Broker
from shared.kafka.config import KafkaConfig
from shared.kafka.patches import cancelled_requests
from shared.kafka.patches.cancelled_requests import cluster_log
from shared.kafka.producer import Producer
from shared.kafka.reader import Reader
from tests.engine import until


@contextmanager
def unanswered_refresh(consumer: KafkaConsumer, broker: Broker) -> Iterator[None]:
    """While the block lasts, the broker is paused and the consumer waits for metadata from it."""
    broker.pause()
    try:
        consumer._cluster.request_update()
        until(lambda: bool(consumer._cluster.metadata_refresh_in_progress))
        yield
    finally:
        broker.resume()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [it.getMessage() for it in caplog.records if it.levelno >= logging.ERROR]


def test_the_unpatched_client_logs_an_error_at_a_clean_stop(
    broker: KafkaConfig, embedded_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """The patch is no longer needed when this fails."""
    consumer = KafkaConsumer(bootstrap_servers=list(broker.bootstrap), metrics_enabled=False)
    consumer.topics()  # connects to the node itself
    filters, cluster_log.filters = cluster_log.filters, []
    try:
        with unanswered_refresh(consumer, embedded_broker):
            consumer.close()
    finally:
        cluster_log.filters = filters
    assert any("Metadata refresh: failed" in it and "Cancelled" in it for it in errors(caplog))


def test_a_clean_stop_logs_no_error(
    broker: KafkaConfig, embedded_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    reader = Reader.join_group("group", [MARKETING_EVENTS.name], config=broker, member=None)
    until(lambda: bool(reader.poll(timeout_ms=50)) or reader.joined())
    producer = Producer(broker)
    until(producer.ready)
    caplog.clear()  # a busy broker may have been slow to answer
    producer.close()
    with unanswered_refresh(reader, embedded_broker):
        reader.close(timeout_ms=100)
    assert errors(caplog) == []


def test_a_stop_before_the_first_connection_is_made_logs_no_error(
    broker: KafkaConfig, embedded_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    reader = Reader.join_group("group", [MARKETING_EVENTS.name], config=broker, member=None)
    caplog.clear()
    with unanswered_refresh(reader, embedded_broker):
        client: Any = reader._client
        connections = list(client._manager._conns.values())
        until(lambda: all(it.initializing for it in connections))
        reader.close(timeout_ms=100)
    assert connections
    assert errors(caplog) == []


def test_other_failures_of_a_refresh_are_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    cancelled_requests.drop_from_log()
    cluster_log.error("Metadata refresh: failed %s", OSError("refused"))
    cluster_log.error("no arguments")
    assert len(errors(caplog)) == 2
