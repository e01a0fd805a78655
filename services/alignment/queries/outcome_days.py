"""The days whose outcomes were announced."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.tables import outcome_days


class AnnouncedDay(NamedTuple):
    """A day, and when it was announced."""

    day: date
    announced_at: datetime


def announced_days(session: Session, *, since: date) -> set[date]:
    """The days from this one on that were announced."""
    return set(session.scalars(select(outcome_days.c.day).where(outcome_days.c.day >= since)))


def find_last_day(session: Session) -> AnnouncedDay | None:
    """The latest day that was announced, if one was."""
    statement = (
        select(outcome_days.c.day, outcome_days.c.announced_at)
        .order_by(outcome_days.c.day.desc())
        .limit(1)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else AnnouncedDay(row.day, row.announced_at)


def add_day(session: Session, day: date, *, now: datetime) -> bool:
    """Note that the day is announced; False if it was before. Another transaction that does so is waited for."""
    statement = insert(outcome_days).values(day=day, announced_at=now).on_conflict_do_nothing()
    return session.scalars(statement.returning(outcome_days.c.day)).one_or_none() is not None
