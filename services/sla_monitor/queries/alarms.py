"""The bell that wakes a sweeper before its sleep is over: something new is due soon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import cast

import psycopg
from sqlalchemy import Engine

from services.sla_monitor.queries.clocks import CHANNEL


class Bell:
    """A connection that listens."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def wait(self, longest: timedelta) -> list[datetime]:
        """Sleep so long, or until it rings; the instants at which something new is due. Raises psycopg's errors."""
        heard = self._connection.notifies(timeout=longest.total_seconds(), stop_after=1)
        return [datetime.fromisoformat(ring.payload) for ring in heard]


@contextmanager
def bell(engine: Engine) -> Iterator[Bell]:
    """Listen until the block ends, on a connection that then goes away with all that it heard."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"listen {CHANNEL}")
        try:
            yield Bell(cast("psycopg.Connection", connection.connection.driver_connection))
        finally:
            connection.invalidate()
