"""Many rows into a table by COPY: the fastest way that PostgreSQL has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import BigInteger, DateTime, Integer, LargeBinary, SmallInteger, Table, Text, Uuid
from sqlalchemy.orm import Session

from shared.errors import Unavailable


class DatabaseLost(Unavailable):
    """The connection broke while rows were copied; the transaction is to be done again."""

    code = "database_lost"


_BINARY = {
    LargeBinary: "bytea",
    Text: "text",
    Uuid: "uuid",
    DateTime: "timestamptz",
    SmallInteger: "int2",
    BigInteger: "int8",
    Integer: "int4",  # after those, which are kinds of it
}


def copy_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add the rows to this transaction, in this order.

    They are made one by one while PostgreSQL takes in those before, if `rows` makes them when it is asked.
    """
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    binary = _binary_types(table, columns)
    statement = sql.SQL("copy {}.{} ({}) from stdin (format {})").format(
        sql.Identifier(table.schema or "public"),
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL("binary" if binary else "text"),
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            if binary:
                copy.set_types(binary)
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as lost:  # SQLAlchemy does not see this call, and cannot tell
        raise DatabaseLost("the database went away while rows were copied") from lost


def _binary_types(table: Table, columns: Sequence[str]) -> list[str]:
    """The types of the columns where all can go as they are: as text, bytes take twice the room and the time."""
    kinds = [table.c[it].type for it in columns]
    if not any(isinstance(it, LargeBinary) for it in kinds):
        return []
    names = [
        next((name for kind, name in _BINARY.items() if isinstance(it, kind)), "") for it in kinds
    ]
    return names if all(names) else []
