"""Stale days: something that is dated on them has changed since they were counted. Triggers mark them.

A report reads what was counted of the other days, and of the stale ones the rows themselves: both in one statement,
which sees one snapshot. A mark is committed with the change that it is about, so a report is exact at every moment.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    distinct,
    func,
    insert,
    select,
    union,
)
from sqlalchemy.orm import Session

from services.alignment import tables
from services.alignment.queries.days import day_of, midnight, next_midnight
from services.alignment.tables import handoffs
from shared.db.locks import AdvisoryLock

marks, handoff_marks = tables.stale_days.c, tables.stale_handoffs.c

STALE_DAYS = union(
    select(marks.day),
    select(day_of(handoffs.c.qualified_at))
    .join(tables.stale_handoffs, handoff_marks.handoff_id == handoffs.c.handoff_id)
    .where(handoffs.c.qualified_at.is_not(None)),
).cte("stale")
"""The stale days, each once, in the column `day`."""


class StaleDays(NamedTuple):
    """How many days are marked, and since when the first of them is; None of none."""

    number: int
    since: datetime | None


def is_counted(counted_on: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether what was counted of the day holds."""
    return counted_on.not_in(select(STALE_DAYS.c.day))


def of_stale_days(instant: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the instant lies on the day of STALE_DAYS, to which its table is joined on this condition."""
    day = STALE_DAYS.c.day
    return and_(instant >= midnight(day), instant < next_midnight(day))


def lock_counting(session: Session) -> bool:
    """Keep other processes from counting until the transaction ends; False while one of them counts."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(AdvisoryLock.TALLIES))))


def mark_days_of_handoffs(session: Session, *, limit: int) -> None:
    """Replace the oldest marks of handoffs, at most `limit`, by those of the days on which their leads qualified.

    A handoff that is not stored yet marks its day itself when it is.
    """
    oldest = select(handoff_marks.id).order_by(handoff_marks.id).limit(limit)
    replaced = (
        delete(tables.stale_handoffs)
        .where(handoff_marks.id.in_(oldest))
        .returning(handoff_marks.handoff_id)
        .cte("replaced")
    )
    days = (
        select(day_of(handoffs.c.qualified_at))
        .join(replaced, replaced.c.handoff_id == handoffs.c.handoff_id)
        .where(handoffs.c.qualified_at.is_not(None))
        .distinct()
    )
    session.execute(insert(tables.stale_days).from_select(["day"], days))


def find_stale_day(session: Session) -> date | None:
    """The day that has been stale for longest, or None."""
    return session.scalar(select(marks.day).order_by(marks.id).limit(1))


def delete_marks(session: Session, day: date) -> None:
    """Delete the marks of the day that are committed: what is counted afterwards includes their changes."""
    session.execute(delete(tables.stale_days).where(marks.day == day))


def stale_days_now(session: Session) -> StaleDays:
    """How many days are stale, and since when."""
    statement = select(func.count(distinct(marks.day)), func.min(marks.marked_at))
    return StaleDays._make(session.execute(statement).one())
