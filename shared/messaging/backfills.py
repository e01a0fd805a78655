"""Backfills: announcements of what was there before its topic, which readers see in part until they have ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.db.tables import backfills


def is_running(session: Session, topic: str) -> bool:
    """Whether the topic lacks things of before it that are still to be announced."""
    statement = select(backfills.c.topic).where(
        backfills.c.topic == topic, backfills.c.ended_at.is_(None)
    )
    return session.execute(statement).first() is not None


def note_running(session: Session, topic: str, now: datetime) -> None:
    """Note that the backfill of this topic runs, unless it does already."""
    if not is_running(session, topic):
        statement = insert(backfills).values(topic=topic, begun_at=now)
        began = {"begun_at": now, "ended_at": None}
        session.execute(statement.on_conflict_do_update(index_elements=["topic"], set_=began))


def note_ended(session: Session, topic: str, now: datetime) -> None:
    """Note that everything of before the topic is announced."""
    session.execute(
        backfills.update()
        .where(backfills.c.topic == topic, backfills.c.ended_at.is_(None))
        .values(ended_at=now)
    )
