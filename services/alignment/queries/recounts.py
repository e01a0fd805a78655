"""How far the nightly recount of the tallies is: one row, which each step changes only as it was read."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment import tables
from services.alignment.domain.recounts import Recount

recounts = tables.recounts.c


def find_recount(session: Session) -> Recount | None:
    """The recount that is or was the last, or None before the first."""
    row = session.execute(select(*(recounts[it] for it in Recount._fields))).one_or_none()
    return None if row is None else Recount._make(row)


def add_recount(session: Session, recount: Recount) -> bool:
    """Add the first recount; False if there is one already."""
    statement = insert(tables.recounts).values(id=1, **recount._asdict())
    return session.scalar(statement.on_conflict_do_nothing().returning(recounts.id)) is not None


def save_recount(session: Session, before: Recount, after: Recount) -> bool:
    """Save the recount unless it is not any more as it was before; False if another process has gone on with it."""
    statement = (
        update(tables.recounts)
        .where(recounts.night == before.night, recounts.next_on == before.next_on)
        .values(**after._asdict())
        .returning(recounts.id)
    )
    return session.scalar(statement) is not None
