"""A transaction on the database of the installation that a command is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from shared.db.session import engine_for, sessions_on


@contextmanager
def transaction(url: str) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it fails."""
    engine = engine_for(url, pool_size=1)
    try:
        with sessions_on(engine).begin() as session:
            yield session
    finally:
        engine.dispose()
