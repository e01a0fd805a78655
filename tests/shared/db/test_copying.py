"""Tests of COPY, and of a connection that breaks meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from shared.db.copying import DatabaseLost, copy_rows
from shared.db.outages import is_outage
from shared.db.session import Sessions
from shared.db.tables import outbox
from tests.builders import NOON

pytestmark = pytest.mark.postgres

COLUMNS = ("topic", "key", "value", "headers", "created_at")
JSON = '[["a\\n", "b"]]'
ROWS = [(f"topic\t{n}", b"\\k\x00", None, it, NOON) for n, it in enumerate((JSON, JSON.encode()))]


def test_rows_arrive_in_order_with_whatever_bytes_they_hold(sessions: Sessions) -> None:
    with sessions.begin() as session:
        copy_rows(session, outbox, COLUMNS, ROWS)
    with sessions() as session:
        statement = text(
            "select topic, key, value, headers, created_at from messaging.outbox order by id"
        )
        rows = session.execute(statement).all()
    assert [(it.topic, bytes(it.key), it.value) for it in rows] == [row[:3] for row in ROWS]
    assert {(str(it.headers), it.created_at) for it in rows} == {("[['a\\n', 'b']]", NOON)}


def test_a_database_that_goes_away_is_an_outage(sessions: Sessions) -> None:
    with sessions() as session, sessions.begin() as other_session:
        victim = session.scalar(text("select pg_backend_pid()"))
        other_session.execute(
            text("select pg_terminate_backend(:victim, 5000)"), {"victim": victim}
        )
        with pytest.raises(DatabaseLost) as lost:
            copy_rows(session, outbox, COLUMNS, ROWS)
        session.invalidate()
    assert is_outage(lost.value)
