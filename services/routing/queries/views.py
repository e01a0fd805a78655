"""Saved views in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.tables import views
from shared.db.locks import AdvisoryLock


class View(NamedTuple):
    """A list of handoffs that its owner saved under a name."""

    owner: str
    """The scope and the subject of a key: ops/WHO or rep/ID."""
    name: str
    query: str
    shared: bool
    saved_at: datetime


_COLUMNS = [views.c[it] for it in View._fields]


def views_of(session: Session, owner: str, *, max_shared: int) -> list[View]:
    """The owner's views, then those that others share, each by name; of the latter so many at most."""
    own = select(*_COLUMNS).where(views.c.owner == owner).order_by(views.c.name)
    shared = (
        select(*_COLUMNS)
        .where(views.c.shared, views.c.owner != owner)
        .order_by(views.c.name, views.c.owner)
        .limit(max_shared)
    )
    return [View(*row) for part in (own, shared) for row in session.execute(part)]


def count_others(session: Session, owner: str, name: str) -> int:
    """How many views the owner has under other names; another count for the owner waits until the transaction ends."""
    session.execute(
        text("select pg_advisory_xact_lock(:lock, hashtext(:owner))"),
        {"lock": int(AdvisoryLock.VIEWS), "owner": owner},
    )
    others = (views.c.owner == owner, views.c.name != name)
    return session.scalar(select(func.count()).where(*others)) or 0


def save_view(session: Session, view: View) -> None:
    """Save the view, in place of the owner's view of this name."""
    statement = insert(views).values(view._asdict())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[views.c.owner, views.c.name],
            set_={it: statement.excluded[it] for it in ("query", "shared", "saved_at")},
        )
    )


def delete_view(session: Session, owner: str, name: str) -> bool:
    """Delete the owner's view of this name; False if there is none."""
    statement = delete(views).where(views.c.owner == owner, views.c.name == name)
    return session.scalar(statement.returning(views.c.name)) is not None
