"""Stale days: something that is dated on them has changed since they were counted. Triggers mark them.

A report reads what was counted of the other days, and of the stale ones the rows themselves: both in one statement,
which sees one snapshot. A mark is committed with the change that it is about, so a report is exact at every moment.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Select,
    Table,
    and_,
    column,
    delete,
    distinct,
    func,
    insert,
    select,
    true,
    union,
)
from sqlalchemy.orm import Session

from services.alignment import tables
from services.alignment.domain.progress import Outcome
from services.alignment.queries.days import day_of, midnight, next_midnight
from services.alignment.tables import handoffs
from shared.db.locks import AdvisoryLock

marks, handoff_marks = tables.stale_days.c, tables.stale_handoffs.c
lead_marks = tables.stale_leads.c
IS_RECYCLED = and_(
    handoffs.c.outcome == Outcome.RECYCLED.value, handoffs.c.qualified_at.is_not(None)
)


def _days_of(table: Table, condition: ColumnElement[bool]) -> Select[date]:
    """The days of the handoffs of marks, looked up mark by mark: `offset` keeps PostgreSQL from reading all."""
    qualified_at = handoffs.c.qualified_at
    of_handoffs = select(day_of(qualified_at).label("day")).where(
        condition, qualified_at.is_not(None)
    )
    of_mark = of_handoffs.offset(0).lateral()
    return select(of_mark.c.day).select_from(table.join(of_mark, true()))


_marked = union(
    select(marks.day),
    _days_of(tables.stale_leads, and_(lead_marks.lead_id == handoffs.c.lead_id, IS_RECYCLED)),
    _days_of(tables.stale_handoffs, handoff_marks.handoff_id == handoffs.c.handoff_id),
)
_days = func.unnest(func.array(_marked.scalar_subquery())).table_valued(
    column("day", Date), name="days"
)

STALE_DAYS = select(_days.render_derived().c.day).cte("stale")
"""The stale days, each once, in the column `day`.

They come out of an array, of which PostgreSQL expects few elements whatever its statistics are: tables of marks are
often full and then empty, and a plan for a million marks would read all handoffs.
"""


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


def of_each_stale_day(sums: Select[Any]) -> Select[Any]:
    """Sums of rows that lie on a stale day, a row a group and day.

    They are read day by day, whatever PostgreSQL expects: it may else read all rows to find those of no day.
    """
    of_day = sums.correlate(STALE_DAYS).lateral("of_day")
    return select(*of_day.c).select_from(STALE_DAYS.join(of_day, true()))


def lock_counting(session: Session) -> bool:
    """Keep other processes from counting until the transaction ends; False while one of them counts."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(AdvisoryLock.TALLIES))))


def mark_days_of_handoffs(session: Session, *, limit: int) -> None:
    """Replace the oldest marks of handoffs, at most `limit`, by those of the days on which their leads qualified.

    A handoff that is not stored yet marks its day itself when it is.
    """
    replaced = _oldest(tables.stale_handoffs, limit)
    _mark_days(session, replaced, replaced.c.handoff_id == handoffs.c.handoff_id)


def mark_days_of_leads(session: Session, *, limit: int) -> None:
    """Replace the oldest marks of leads, at most `limit`, by those of the days on which they had been recycled.

    A lead that is recycled later marks its day itself.
    """
    replaced = _oldest(tables.stale_leads, limit)
    _mark_days(session, replaced, and_(replaced.c.lead_id == handoffs.c.lead_id, IS_RECYCLED))


def _oldest(table: Table, limit: int) -> CTE:
    """The oldest marks of a table, which are deleted."""
    oldest = select(table.c.id).order_by(table.c.id).limit(limit)
    return delete(table).where(table.c.id.in_(oldest)).returning(*table.c).cte("replaced")


def _mark_days(session: Session, replaced: CTE, condition: ColumnElement[bool]) -> None:
    days = (
        select(day_of(handoffs.c.qualified_at))
        .join(replaced, condition)
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
