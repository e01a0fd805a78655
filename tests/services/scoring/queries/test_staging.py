"""Rows in bulk, and a server that goes away in the middle of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from services.scoring.queries.staging import stage_rows
from services.scoring.tables import identities
from shared.db.copying import DatabaseLost
from shared.db.session import Sessions

pytestmark = pytest.mark.postgres

COLUMNS = ("key", "lead_id")


def test_each_batch_starts_from_an_empty_table(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for _ in range(2):
            name = stage_rows(session, identities, COLUMNS, [("email/a\tb\\n", uuid4())])

            assert session.scalars(select(text("key")).select_from(text(name))).all() == [
                "email/a\tb\\n"
            ]


def test_a_connection_that_breaks_while_rows_are_copied_is_an_outage(sessions: Sessions) -> None:
    with sessions() as session, sessions.begin() as other_session:
        pid = session.scalar(text("select pg_backend_pid()"))

        def rows() -> Iterator[tuple[str, object]]:
            other_session.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
            for at in range(100_000):
                yield f"email/{at}@example.com", uuid4()

        with pytest.raises(DatabaseLost):
            stage_rows(session, identities, COLUMNS, rows())
        session.invalidate()
