"""kafka-python 3.0.12: a client whose constructor fails stays open, and its error does not say why it failed.

When no broker answers within `bootstrap_timeout_ms`, the constructors of producers, consumers and admin clients raise a
KafkaTimeoutError. The thread and the sockets of their network client stay open, and the caller has no reference with
which to close them. The reason (connection refused, certificate not trusted, wrong password) is only logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError, RequestTimedOutError
from kafka.net.compat import KafkaNetClient

client_log = logging.getLogger("kafka.net.manager")


@contextmanager
def closing_on_failure(kind: type[KafkaNetClient] = KafkaNetClient) -> Iterator[Callable[..., Any]]:
    """Give a function to pass as `kafka_client`; the clients that it makes are closed when the block fails.

    Raises the KafkaError that kept the client from connecting.
    """
    failures = _Failures()
    clients: list[KafkaNetClient] = []

    def make(*arguments: Any, **options: Any) -> KafkaNetClient:
        clients.append(kind(*arguments, **options))
        return clients[-1]

    client_log.addHandler(failures)
    try:
        yield make
    except KafkaError as error:
        for client in clients:
            client.close()
        if failures.last is None or failures.last is error:
            raise
        raise failures.last from error
    finally:
        client_log.removeHandler(failures)


class _Failures(logging.Handler):
    """Remembers the last error that the client logs; one that is no time-out tells more, and stays."""

    def __init__(self) -> None:
        super().__init__()
        self.last: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called for each line of the client's log."""
        for argument in record.args or ():
            if isinstance(argument, KafkaError) and not isinstance(argument, KafkaTimeoutError):
                self._remember(argument)

    def _remember(self, error: KafkaError) -> None:
        if self.last is None or _is_time_out(self.last) or not _is_time_out(error):
            self.last = error


def _is_time_out(error: KafkaError) -> bool:
    return isinstance(error, RequestTimedOutError) or "timed out" in str(error)
