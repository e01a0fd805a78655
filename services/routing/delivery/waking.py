"""Wakes the courier when a transaction has left something to be told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

import psycopg
from sqlalchemy import Engine

from services.routing.queries.deliveries import CHANNEL
from shared.db.outages import OUTAGES, is_outage

PATIENCE_S = 1.0


def listen(engine: Engine, wake: Callable[[], object], stop: threading.Event) -> None:
    """Call `wake` for each notice until `stop`, and once then; without the database the courier polls.

    Raises what is no outage.
    """
    while not stop.is_set():
        try:
            with _own_connection(engine) as connection:
                connection.execute(f"listen {CHANNEL}")
                while not stop.is_set():
                    for _ in connection.notifies(timeout=PATIENCE_S, stop_after=1):
                        wake()
        except OUTAGES as error:
            if not is_outage(error):
                raise
            stop.wait(PATIENCE_S)
    wake()


def _own_connection(engine: Engine) -> psycopg.Connection:
    """One that never goes back to the pool."""
    pooled = engine.raw_connection()
    connection = cast("psycopg.Connection", pooled.driver_connection)
    pooled.detach()
    connection.autocommit = True
    return connection
