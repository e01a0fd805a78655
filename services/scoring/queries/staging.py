"""A temporary table that many rows are copied into, to be saved from there in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from shared.db.copying import copy_rows


def stage_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> str:
    """Copy the rows into a temporary table of the same columns, which the commit empties; returns its name."""
    name = f"staged_{table.name}"
    session.execute(
        text(
            f"create temporary table if not exists {name}"
            f" (like {table.fullname}) on commit delete rows"
        )
    )
    session.execute(text(f"delete from {name}"))  # noqa: S608 - the name is a constant
    copy_rows(session, table, columns, rows, into=name)
    return name
