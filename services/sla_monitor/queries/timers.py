"""PostgreSQL as the timer wheel: what is due is claimed by one sweeper, and by one only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ARRAY, UUID, any_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.queries.clocks import AT_RISK, CLOCKS, COLUMNS, clocks_in

timer = tables.timers.c
clock = tables.clocks.c


_DUE = (
    select(timer.clock_id)
    .where(timer.fire_at <= bindparam("now"), timer.fire_at >= bindparam("low"))
    .order_by(timer.fire_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


def claim_due(session: Session, *, now: datetime, low: datetime, limit: int) -> list[Clock]:
    """Clocks on which something is due, locked; the ones that another sweeper holds are left to it.

    `low` keeps the claim fast: index entries of what has fired long ago are not looked at again.
    What the clocks are is asked for once they are locked: a statement that locks sees what was before.
    """
    ids = list(session.scalars(_DUE, {"now": now, "low": low, "limit": limit}))
    if not ids:
        return []
    claimed = timer.clock_id == any_(literal(ids, ARRAY(UUID(as_uuid=True))))
    return clocks_in(session.execute(select(*COLUMNS).select_from(CLOCKS).where(claimed)))


def find_next_fire(session: Session, *, low: datetime) -> datetime | None:
    """The next instant at which something is due, if anything is."""
    found: datetime | None = session.scalar(
        select(func.min(timer.fire_at)).where(timer.fire_at >= low)
    )
    return found


class Standing(NamedTuple):
    """How the clocks stand: what ops' gauges show."""

    overdue_timers: int
    open_breaches: int
    at_risk: int


OVERDUE = timedelta(seconds=10)
"""A timer that has not fired after this long is a fault of ours."""


def standing_of(session: Session, *, now: datetime) -> Standing:
    """Count in partial indexes: timers nobody fired, open breaches, clocks at risk."""
    counted = select(func.count())
    late = counted.where(timer.fire_at <= now - OVERDUE)
    broken = counted.where(clock.ended_at.is_(None), clock.due_at <= now)
    risky = counted.where(*AT_RISK, timer.fire_at > now)
    columns = [it.scalar_subquery() for it in (late, broken, risky)]
    return Standing(*session.execute(select(*columns)).one())


def open_clocks(session: Session) -> int:
    """How many clocks run: half a second's work where there are a million."""
    return session.scalars(select(func.count()).where(clock.ended_at.is_(None))).one()
