"""LISTEN on a database connection of its own: a transaction's notification wakes a process that sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from sqlalchemy import Engine

from shared.db.outages import OUTAGES, is_outage

TIMEOUT_S = 1.0
"""How long `call_on_notification` waits at most, for a notification and after an outage, before it looks at `stop`."""


def call_on_notification(
    engine: Engine, channel: str, callback: Callable[[], object], stop: threading.Event
) -> None:
    """Call `callback` for each notification until `stop`, and a last time then.

    An outage of the database is waited out; notifications of that time are lost. Any other error is raised.
    """
    while not stop.is_set():
        try:
            with listening(engine, channel) as listener:
                while not stop.is_set():
                    for _ in listener.wait(TIMEOUT_S):
                        callback()
        except OUTAGES as error:
            if not is_outage(error):
                raise
            stop.wait(TIMEOUT_S)
    callback()


@contextmanager
def listening(engine: Engine, channel: str) -> Iterator[Listener]:
    """A listener on the channel, on a connection that is closed when the block ends."""
    with own_connection(engine) as connection:
        yield Listener(connection, channel)


class Listener:
    """A connection that listens on a channel."""

    def __init__(self, connection: psycopg.Connection, channel: str) -> None:
        self._connection = connection
        connection.execute(f"listen {channel}".encode())

    def wait(self, timeout_s: float) -> list[str]:
        """The payloads that arrive within the time; it returns with the first ones. Raises psycopg's errors."""
        notifications = self._connection.notifies(timeout=timeout_s, stop_after=1)
        return [notification.payload for notification in notifications]


@contextmanager
def own_connection(engine: Engine) -> Iterator[psycopg.Connection]:
    """A connection without transactions that never goes back to the pool.

    It is closed when the block ends, which gives up its advisory locks and what it listens to.
    """
    pooled = engine.raw_connection()
    connection = cast("psycopg.Connection", pooled.driver_connection)
    pooled.detach()
    with connection:
        connection.autocommit = True
        yield connection
