"""Which errors say that something we need is away, rather than that something is wrong."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Unavailable, class_and_code

__all__ = ["OUTAGES", "ErrorCapture", "class_and_code", "is_outage"]

OUTAGES = (Unavailable, DBAPIError, psycopg.Error, PoolTimeout)
"""What may be an outage. Only `is_outage` says whether it is: whoever catches these raises all else again."""

_PASSING = ("08", "25P03", "25P04", "28", "3D", "40", "53", "55006", "55P03", "57", "58")
"""SQLSTATEs, or their classes, that say nothing against the statement: connections, time-outs, locks, deadlocks,
resources, shutdowns. Not 54, though psycopg calls it operational: a value that is too large for an index stays so.
"""


class DatabaseAway(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_away"


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again later may succeed."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _passes(error.orig)
    return _passes(error) or isinstance(error, Unavailable | PoolTimeout)


def _passes(error: BaseException | None) -> bool:
    """Whether psycopg's error is one of an outage; those without a SQLSTATE are of the connection."""
    sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
    if sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return sqlstate.startswith(_PASSING)


class ErrorCapture:
    """Keeps what its block raises, as evidence about the data in hand; outages, and what is `loud`, pass."""

    loud: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    @property
    def fault(self) -> str:
        """The class and code of what was raised; empty where nothing was."""
        return class_and_code(self.error) if self.error is not None else ""

    def __enter__(self) -> ErrorCapture:
        self.error = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        if (
            isinstance(error, Exception)
            and not is_outage(error)
            and not isinstance(error, self.loud)
        ):
            self.error = error
        return self.error is not None
