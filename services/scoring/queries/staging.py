"""Rows in bulk: copied into a temporary table, and merged from there in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from shared.errors import Unavailable


class DatabaseLost(Unavailable):
    """The connection broke in the middle; the batch is done again."""


def staged(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> str:
    """The rows in a temporary table of the same columns, whose name this returns; it empties at the commit."""
    name = f"staged_{table.name}"
    session.execute(
        text(
            f"create temporary table if not exists {name}"
            f" (like {table.fullname}) on commit delete rows"
        )
    )
    session.execute(text(f"delete from {name}"))  # noqa: S608 - our own table's name
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as lost:  # SQLAlchemy does not see this call, and cannot tell
        raise DatabaseLost("the database went away while rows were copied") from lost
    return name
