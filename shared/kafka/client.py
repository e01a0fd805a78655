"""The options with which every client of Kafka is constructed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.kafka.config import KafkaConfig
from shared.kafka.patches import cancelled_requests
from shared.kafka.patches.closing import ClosingClient
from shared.kafka.patches.failed_connects import closing_on_failure
from shared.kafka.security import Options


@contextmanager
def connecting(config: KafkaConfig, kind: type[ClosingClient] = ClosingClient) -> Iterator[Options]:
    """Give the options that all clients share; construct the client within the block.

    When the constructor fails, everything that it opened is closed. Raises the KafkaError that kept it from connecting.
    """
    cancelled_requests.drop_from_log()
    with closing_on_failure(kind) as make_client:
        yield {
            "kafka_client": make_client,
            "bootstrap_servers": list(config.bootstrap),
            **config.security,
        }
