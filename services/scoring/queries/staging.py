"""Rows in bulk: copied into a temporary table, and merged from there in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from shared.db.copying import copy_rows


def stage_rows(
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
    copy_rows(session, table, columns, rows, into=name)
    return name
