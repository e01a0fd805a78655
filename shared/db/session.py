"""The engine, and its sessions."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from shared.values import loads

Sessions = sessionmaker[Session]


def engine_for(
    url: str,
    *,
    pool_size: int = 5,
    lock_timeout_ms: int = 5_000,
    transaction_timeout_ms: int = 0,
) -> Engine:
    """An engine with timeouts for locks, for idle transactions and for a server that does not respond.

    With a `transaction_timeout_ms` PostgreSQL (17 or newer) ends every transaction after that time, except while it
    waits for rows of a COPY. Its just-in-time compiler is off: it would start for reports that PostgreSQL takes for
    more work than they are, and take longer than they do.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=True,
        pool_timeout=5,
        json_deserializer=loads,
        hide_parameters=True,  # texts of errors are logged, and must hold no personal data
        connect_args={
            "connect_timeout": 3,
            "options": f"-c lock_timeout={lock_timeout_ms} -c timezone=UTC"
            " -c idle_in_transaction_session_timeout=60000 -c jit=off"
            f" -c transaction_timeout={transaction_timeout_ms}",
            "tcp_user_timeout": 10_000,
        },
    )


def sessions_on(engine: Engine) -> Sessions:
    """Sessions whose objects remain usable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)
