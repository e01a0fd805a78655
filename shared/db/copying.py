"""Many rows into a table by COPY: the fastest way that PostgreSQL has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.orm import Session

from shared.errors import Unavailable


class DatabaseLost(Unavailable):
    """The connection broke while rows were copied; the transaction is to be done again."""

    code = "database_lost"


def copy_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add the rows to this transaction, in this order."""
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    statement = sql.SQL("copy {}.{} ({}) from stdin").format(
        sql.Identifier(table.schema or "public"),
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as lost:  # SQLAlchemy does not see this call, and cannot tell
        raise DatabaseLost("the database went away while rows were copied") from lost
