"""A client that is closed leaves no socket open, whatever it still had to write."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from kafka import KafkaConsumer
from kafka.net.compat import KafkaNetClient

from shared.embedded.broker import Broker
from shared.kafka.config import KafkaConfig
from shared.kafka.patches.closing import ClosingClient, close_socket
from tests.engine import until

MORE_THAN_A_SOCKET_TAKES = b"x" * 64_000_000


def closed_while_it_writes(broker: Broker, config: KafkaConfig, kind: type[KafkaNetClient]) -> Any:
    """The transport of a client of this kind that was closed while the broker did not read."""
    consumer = KafkaConsumer(
        kafka_client=kind, bootstrap_servers=list(config.bootstrap), metrics_enabled=False
    )
    consumer.topics()  # connects to the node itself
    client: Any = consumer._client
    [transport] = [it.transport for it in client._manager._conns.values() if it.connected]
    broker.pause()
    try:
        before = transport.last_write
        client._net.call_soon_threadsafe(lambda: transport.writelines([MORE_THAN_A_SOCKET_TAKES]))
        until(lambda: transport.last_write > before and bool(transport._write_buffer))
        consumer.close()
    finally:
        broker.resume()
    return transport


def test_the_unpatched_client_leaves_the_socket_open(
    broker: KafkaConfig, embedded_broker: Broker
) -> None:
    """The patch is no longer needed when this fails."""
    transport = closed_while_it_writes(embedded_broker, broker, KafkaNetClient)
    is_open = transport._sock is not None
    close_socket(transport)
    assert is_open


def test_the_socket_is_closed(broker: KafkaConfig, embedded_broker: Broker) -> None:
    transport = closed_while_it_writes(embedded_broker, broker, ClosingClient)
    assert transport._sock is None or transport._sock.fileno() == -1


def test_one_connection_is_closed_alone_and_a_closed_client_can_be_closed_again(
    broker: KafkaConfig,
) -> None:
    consumer = KafkaConsumer(
        kafka_client=ClosingClient, bootstrap_servers=list(broker.bootstrap), metrics_enabled=False
    )
    client: Any = consumer._client
    with closing(consumer):
        consumer.topics()
        [node] = [it for it in client._manager._conns if client.connected(it)]
        client.close(node)
        assert not client.connected(node)
        assert not client._manager.closed
    client.close()
    assert client._manager.closed
