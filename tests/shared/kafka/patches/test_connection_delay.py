"""A producer's thread waits while a broker does not answer."""

from __future__ import annotations

import pytest
from kafka.net.compat import KafkaNetClient

from shared.embedded.postgres import free_port
from shared.kafka.patches.connection_delay import SHORTEST_DELAY_MS, DelayingClient

NODE = "bootstrap-0"


@pytest.fixture
def bootstrap() -> list[str]:
    return [f"127.0.0.1:{free_port()}"]


def backed_off(client: KafkaNetClient) -> KafkaNetClient:
    """The client after a failure to connect, which it tries again after 2 s or somewhat more or less."""
    client._manager.config["reconnect_backoff_ms"] = 2_000
    client._manager.config["reconnect_backoff_max_ms"] = 2_000
    client._manager.update_backoff(NODE)
    return client


def test_the_unpatched_client_delays_by_seconds_and_not_at_all_while_it_connects(
    bootstrap: list[str],
) -> None:
    """The patch is no longer needed when this fails: the producer's sender takes the delay for milliseconds."""
    client = KafkaNetClient(bootstrap_servers=bootstrap)
    assert client.connection_delay(NODE) == 0
    assert 0 < backed_off(client).connection_delay(NODE) < 3
    client.close()


def test_the_delay_is_in_milliseconds_and_never_0(bootstrap: list[str]) -> None:
    client = DelayingClient(bootstrap_servers=bootstrap)
    assert client.connection_delay(NODE) == SHORTEST_DELAY_MS
    assert 1_000 < backed_off(client).connection_delay(NODE) < 3_000
    client.close()
