"""Tests of the timeouts of connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.db.copying import DatabaseLost, copy_rows
from shared.db.outages import is_outage
from shared.db.session import Sessions, engine_for, sessions_on
from shared.db.tables import outbox
from tests.engine import until

pytestmark = pytest.mark.postgres


@pytest.fixture
def hasty(database_url: str) -> Iterator[Session]:
    """A session whose transactions may last a tenth of a second."""
    engine = engine_for(database_url, transaction_timeout_ms=100)
    with sessions_on(engine)() as session:
        yield session
        session.invalidate()
    engine.dispose()


def until_ended(session: Session, others: Sessions) -> None:
    """Stay idle until the server has ended the connection."""
    connection: Any = session.connection().connection.driver_connection
    statement = text("select count(*) from pg_stat_activity where pid = :pid")
    with others() as observer:
        observer.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        pid = {"pid": connection.info.backend_pid}
        until(lambda: observer.scalar(statement, pid) == 0)


def select_one(session: Session) -> None:
    session.execute(text("select 1"))


def copy_one(session: Session) -> None:
    copy_rows(session, outbox, ("topic", "headers"), [("topic", "[]")])


@pytest.mark.parametrize("go_on", [select_one, copy_one])
def test_a_transaction_that_lasts_too_long_is_ended_and_that_is_an_outage(
    hasty: Session, sessions: Sessions, go_on: Callable[[Session], None]
) -> None:
    hasty.execute(text("select 1"))
    until_ended(hasty, sessions)
    with pytest.raises((DBAPIError, DatabaseLost)) as ended:
        go_on(hasty)
    assert is_outage(ended.value)


def test_queries_are_not_compiled(hasty: Session) -> None:
    assert hasty.scalar(text("show jit")) == "off"
