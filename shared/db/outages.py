"""Tells outages of the database, after which a later attempt may succeed, from errors that will recur."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Unavailable, class_and_code

__all__ = ["OUTAGES", "ErrorCapture", "class_and_code", "is_outage"]

OUTAGES = (Unavailable, DBAPIError, psycopg.Error, PoolTimeout)
"""The classes of errors that may be outages. `is_outage` decides; code that catches them raises all others again."""

_OUTAGE_STATES = ("08", "25P03", "25P04", "28", "3D", "40", "53", "55006", "55P03", "57", "58")
"""SQLSTATEs, or classes of them, that do not depend on the statement: connections, timeouts, locks, deadlocks,
resources, shutdowns. 54 is not among them, although psycopg raises OperationalError for it: a value that is too large
for an index remains so.
"""


class DatabaseAway(Unavailable):
    """PostgreSQL does not respond."""

    code = "database_away"


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again later may succeed."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _is_outage_of_psycopg(error.orig)
    return _is_outage_of_psycopg(error) or isinstance(error, Unavailable | PoolTimeout)


def _is_outage_of_psycopg(error: BaseException | None) -> bool:
    """Whether an error of psycopg is an outage; errors without a SQLSTATE concern the connection."""
    sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
    if sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return sqlstate.startswith(_OUTAGE_STATES)


class ErrorCapture:
    """Keeps the error that its block raises, except outages and errors of `raised_errors`, which are raised."""

    raised_errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    @property
    def fault(self) -> str:
        """The class and code of the error, or an empty text without one."""
        return class_and_code(self.error) if self.error is not None else ""

    def __enter__(self) -> ErrorCapture:
        self.error = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if (
            isinstance(error, Exception)
            and not is_outage(error)
            and not isinstance(error, self.raised_errors)
        ):
            self.error = error
        return self.error is not None
