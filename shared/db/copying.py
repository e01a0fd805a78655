"""Many rows into a table by COPY: the fastest way that PostgreSQL has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import Copy, sql
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
    with copying(session, (table.schema or "public", table.name), columns) as copy:
        for row in rows:
            copy.write_row(row)


def copy_texts(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """The same for rows of which every value is text already, in half of the time."""
    with copying(session, (table.schema or "public", table.name), columns) as copy:
        copy.write("".join(["\t".join(map(_escaped, row)) + "\n" for row in rows]))


@contextmanager
def copying(session: Session, table: Sequence[str], columns: Sequence[str]) -> Iterator[Copy]:
    """A COPY into the table of this name; raises DatabaseLost, as SQLAlchemy does not see it and cannot tell."""
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except psycopg.OperationalError as lost:
        raise DatabaseLost("the database went away while rows were copied") from lost


def _escaped(text: str) -> str:
    """As COPY reads it. Most texts need nothing, and asking is faster than replacing."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        escaped = text.replace("\\", "\\\\").replace("\t", "\\t")
        return escaped.replace("\n", "\\n").replace("\r", "\\r")
    return text
