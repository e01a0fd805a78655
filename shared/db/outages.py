"""Which errors say that something we need is away, rather than that something is wrong."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Unavailable

OUTAGES = (Unavailable, OperationalError, InterfaceError, PoolTimeout)
"""What passes with time; lock time-outs and deadlocks are OperationalErrors."""


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again later may succeed."""
    return isinstance(error, OUTAGES) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
