"""Connecting without leaving anything behind when it fails, as a client that keeps trying must."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient

LOOK_EVERY_MS = 20.0
client_log = logging.getLogger("kafka.net.manager")


class Calm(KafkaNetClient):
    """For a producer: waits also for a broker that does not answer.

    The client's own delay is 0 while it connects, and in seconds where the producer takes it for milliseconds: the
    producer's thread then goes round as fast as it can, and leaves an API a quarter of the CPU.
    """

    def connection_delay(self, node_id: object) -> float:
        """Milliseconds until the node may be ready; what happens on a connection is seen at once all the same."""
        delay_s: float = self._manager.connection_delay(node_id)
        return max(delay_s * 1000, LOOK_EVERY_MS)


class _Failures(logging.Handler):
    """Remembers the last failure to connect that the client logs: what it raises says only that it took too long."""

    def __init__(self) -> None:
        super().__init__()
        self.last: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called for each line of the client's log."""
        for argument in record.args or ():
            if isinstance(argument, KafkaError) and not isinstance(argument, KafkaTimeoutError):
                self.last = argument


@contextmanager
def tidily(kind: type[KafkaNetClient] = KafkaNetClient) -> Iterator[Callable[..., Any]]:
    """Give what to pass as `kafka_client`: a client whose constructor fails leaves a thread and sockets open.

    Raises the KafkaError that kept it from connecting.
    """
    failures = _Failures()
    made: list[KafkaNetClient] = []

    def make(*arguments: Any, **options: Any) -> KafkaNetClient:
        made.append(kind(*arguments, **options))
        return made[-1]

    client_log.addHandler(failures)
    try:
        yield make
    except KafkaError as error:
        for client in made:
            client.close()
        if failures.last is None or failures.last is error:
            raise
        raise failures.last from error
    finally:
        client_log.removeHandler(failures)
