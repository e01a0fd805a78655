"""The days whose outcomes were announced."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.tables import outcome_days


def announced_days(session: Session, *, since: date) -> set[date]:
    """The days from this one on that were announced."""
    return set(session.scalars(select(outcome_days.c.day).where(outcome_days.c.day >= since)))


def find_last_day(session: Session) -> date | None:
    """The latest day that was announced, if one was."""
    latest = select(outcome_days.c.day).order_by(outcome_days.c.day.desc()).limit(1)
    return session.scalars(latest).one_or_none()


def add_day(session: Session, day: date, *, now: datetime) -> bool:
    """Note that the day is announced; False if it was before. Another transaction that does so is waited for."""
    statement = insert(outcome_days).values(day=day, announced_at=now).on_conflict_do_nothing()
    return session.scalars(statement.returning(outcome_days.c.day)).one_or_none() is not None
