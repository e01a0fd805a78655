"""Damages a real database so that its errors last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from shared.db.session import Sessions
from tests.engine import PATIENCE_S

TOO_LARGE = "54000"
"""The SQLSTATE of a value that is too large; psycopg calls its class operational, as it calls outages."""


def refuse_writes(
    sessions: Sessions, table: str, when: str = "insert or update", sqlstate: str = TOO_LARGE
) -> None:
    """Make the table refuse every row with this SQLSTATE."""
    name = f"{table.partition('.')[0]}.refuse"
    with sessions.begin() as session:
        session.execute(
            text(
                f"""
                create function {name}() returns trigger language plpgsql as
                $$ begin raise exception 'refused' using errcode = '{sqlstate}'; end $$;
                create trigger refuse before {when} on {table} for each row execute function {name}()
                """
            )
        )


def run_statement(sessions: Sessions, statement: str) -> None:
    """Run a statement in a transaction, such as one that drops a column."""
    with sessions.begin() as session:
        session.execute(text(statement))


@contextmanager
def stop_after_patience() -> Iterator[threading.Event]:
    """An event that is set after PATIENCE_S, so that a test of an endless loop ends and fails."""
    stop = threading.Event()
    timer = threading.Timer(PATIENCE_S, stop.set)
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()
        stop.set()
