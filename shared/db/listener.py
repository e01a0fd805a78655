"""LISTEN on a database connection of its own: notifications of transactions wake a waiting process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from sqlalchemy import Engine

from shared.db.outages import OUTAGES, is_outage

TIMEOUT_S = 1.0
"""The longest wait of `call_on_notification`, for a notification or after an outage, before it checks `stop`."""


def call_on_notification(
    engine: Engine, channel: str, callback: Callable[[], object], stop: threading.Event
) -> None:
    """Call `callback` for each notification until `stop`, and a last time then.

    During an outage of the database it waits, and notifications are lost. Any other error is raised.
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
        """The payloads of the first notifications, or none after the time; raises psycopg's errors."""
        notifications = self._connection.notifies(timeout=timeout_s, stop_after=1)
        return [notification.payload for notification in notifications]


@contextmanager
def own_connection(engine: Engine) -> Iterator[psycopg.Connection]:
    """A connection in autocommit mode that does not return to the pool.

    It is closed when the block ends, which ends its advisory locks and its LISTEN.
    """
    pooled = engine.raw_connection()
    connection = cast("psycopg.Connection", pooled.driver_connection)
    pooled.detach()
    with connection:
        connection.autocommit = True
        yield connection
