"""Stale days: something that is dated on them has changed since they were counted. Triggers mark them.

A report reads what was counted of the other days, and of the stale ones the rows themselves: both in one statement,
which sees one snapshot. A mark is committed with the change that it is about, so a report is exact at every moment.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
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
    union_all,
)
from sqlalchemy.orm import Session

from services.alignment import tables
from services.alignment.domain.attribution import Terms
from services.alignment.domain.progress import Outcome
from services.alignment.queries.days import day_of, midnight, next_midnight
from services.alignment.tables import handoffs, promises
from shared.db.locks import AdvisoryLock
from shared.db.tables import agreements

marks = tables.stale_days.c
IS_RECYCLED = and_(
    handoffs.c.outcome == Outcome.RECYCLED.value, handoffs.c.qualified_at.is_not(None)
)


def _qualified_on(condition: ColumnElement[bool]) -> Select[date]:
    qualified_at = handoffs.c.qualified_at
    return select(day_of(qualified_at).label("day")).where(condition, qualified_at.is_not(None))


def _of_handoff(handoff_id: ColumnElement[UUID]) -> Select[date]:
    return _qualified_on(handoffs.c.handoff_id == handoff_id)


def _of_lead(lead_id: ColumnElement[UUID]) -> Select[date]:
    return _qualified_on(and_(handoffs.c.lead_id == lead_id, IS_RECYCLED))


def _of_clocks(handoff_id: ColumnElement[UUID]) -> Select[date]:
    due_on = promises.c.due_on
    return select(due_on.label("day")).where(
        promises.c.handoff_id == handoff_id, due_on.is_not(None)
    )


class _Marks(NamedTuple):
    """A table of marks by the id of something, and the days that are stale because of it.

    What is stored only later marks its days itself, so these are those of what is stored now.
    """

    table: Table
    id: str
    days_of: Callable[[ColumnElement[UUID]], Select[date]]

    def days(self, marked: FromClause) -> Select[date]:
        """The days, looked up mark by mark: `offset` keeps PostgreSQL from reading all that the marks are of."""
        of_mark = self.days_of(marked.c[self.id]).offset(0).lateral()
        return select(of_mark.c.day).select_from(marked.join(of_mark, true()))


_MARKS = (
    _Marks(tables.stale_leads, "lead_id", _of_lead),
    _Marks(tables.stale_handoffs, "handoff_id", _of_handoff),
    _Marks(tables.stale_facts, "handoff_id", _of_clocks),
)
_marked = union(select(marks.day), *(it.days(it.table) for it in _MARKS))
_day = (
    func.unnest(func.array(_marked.scalar_subquery()))
    .table_valued(column("day", Date), name="days")
    .render_derived()
    .c.day
)

STALE_DAYS = select(_day).where(_day.between(date.min, date.max)).cte("stale")
"""The stale days, each once, in the column `day`.

They come out of an array, of which PostgreSQL expects few elements whatever its statistics are: tables of marks are
often full and then empty, and a plan for a million marks would read all handoffs. The range, which holds every day,
makes it expect one day instead of ten: for ten it would rather read all handoffs than find those of each by an index.
"""


class StaleDays(NamedTuple):
    """How many days are stale, and since when the first of them is; None of none."""

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


def mark_days(session: Session, *, limit: int) -> None:
    """Replace the oldest marks of leads and of handoffs, at most `limit` of each kind, by those of their days."""
    for kind in _MARKS:
        id = kind.table.c.id
        oldest = select(id).order_by(id).limit(limit)
        replaced = delete(kind.table).where(id.in_(oldest)).returning(*kind.table.c).cte("replaced")
        days = kind.days(replaced).distinct()
        session.execute(insert(tables.stale_days).from_select(["day"], days))


def find_stale_day(session: Session) -> date | None:
    """The day that has been stale for longest, or None."""
    return session.scalar(select(marks.day).order_by(marks.id).limit(1))


def delete_marks(session: Session, day: date) -> None:
    """Delete the marks of the day that are committed: what is counted afterwards includes their changes."""
    session.execute(delete(tables.stale_days).where(marks.day == day))


def stale_days_now(session: Session, terms: Terms) -> StaleDays:
    """How many days are stale, be it of sums or of credit, and since when.

    The credit of a day that was counted by other terms than these is stale since the newest agreement was published.
    """
    credit, credited = tables.stale_credits.c, tables.credit_days.c
    published_at = select(func.max(agreements.c.published_at)).scalar_subquery()
    stale = union_all(
        select(marks.day, marks.marked_at.label("since")),
        select(credit.day, credit.marked_at),
        select(credited.counted_on, published_at).where(credited.terms != terms.key),
    ).subquery()
    statement = select(func.count(distinct(stale.c.day)), func.min(stale.c.since))
    return StaleDays._make(session.execute(statement).one())
