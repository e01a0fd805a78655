"""The counts that the board reads: open clocks, and promises kept and broken in each five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from sqlalchemy import BigInteger, cast, delete, func, select, text
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.counts import OpenCount, RecentCount
from services.sla_monitor.queries.clocks import OVERDUE
from services.sla_monitor.queries.lists import OPEN, ClockFilter, conditions_of, equalities

clock = tables.clocks.c
timer = tables.timers.c
open_count = tables.open_counts.c
recent_count = tables.recent_counts.c

SOON = timedelta(hours=1)
MAX_SOON = 1_000
"""So many clocks that are due soon, or overdue timers, are counted; a million of them would take half a second."""

_ADD_OPEN_COUNTS = text("""
    insert into sla.open_counts as open_count
    select * from json_populate_recordset(cast(null as sla.open_counts), cast(:changes as json))
    on conflict (team, rep, tier, kind, scope, state)
    do update set count = open_count.count + excluded.count
""")
_ADD_RECENT_COUNTS = text("""
    insert into sla.recent_counts as recent_count
    select * from json_populate_recordset(cast(null as sla.recent_counts), cast(:changes as json))
    on conflict (since, team, outcome) do update set count = recent_count.count + excluded.count
""")


def add_open_counts(session: Session, changes: Mapping[OpenCount, int]) -> None:
    """Add to the counts of open clocks, in the order of their keys."""
    if changes:
        rows = [{**key._asdict(), "count": count} for key, count in sorted(changes.items())]
        session.execute(_ADD_OPEN_COUNTS, {"changes": orjson.dumps(rows).decode()})


def add_recent_counts(session: Session, changes: Mapping[RecentCount, int]) -> None:
    """Add to the counts of promises kept and broken, in the order of their keys."""
    if changes:
        rows = [{**key._asdict(), "count": count} for key, count in sorted(changes.items())]
        session.execute(_ADD_RECENT_COUNTS, {"changes": orjson.dumps(rows).decode()})


class GroupCount(NamedTuple):
    """How many clocks of a team and a rep are in a state: running, at_risk, breached, or due soon."""

    team: str
    rep: str
    state: str
    number: int


def open_counts(session: Session, clock_filter: ClockFilter) -> list[GroupCount]:
    """How many clocks are open, by team, rep and state, as far as sweeps have warned and breached them."""
    number = cast(func.sum(open_count.count), BigInteger)
    group = (open_count.team, open_count.rep, open_count.state)
    statement = (
        select(*group, number)
        .where(*equalities(clock_filter, open_count))
        .group_by(*group)
        .having(number != 0)
        .order_by(*group)
    )
    return list(map(GroupCount._make, session.execute(statement)))


def due_soon_counts(
    session: Session, clock_filter: ClockFilter, *, now: datetime
) -> list[GroupCount]:
    """How many clocks are due within SOON, by team and rep: of the MAX_SOON + 1 that are due first."""
    soon = (
        select(clock.team, func.coalesce(clock.rep, "").label("rep"))
        .where(
            OPEN,
            clock.due_at > now,
            clock.due_at <= now + SOON,
            *conditions_of(clock_filter, clock.due_at),
        )
        .order_by(clock.due_at)
        .limit(MAX_SOON + 1)
        .subquery()
    )
    group = (soon.c.team, soon.c.rep)
    statement = select(*group, func.count()).group_by(*group).order_by(*group)
    return [
        GroupCount(team, rep, "due_soon", number)
        for team, rep, number in session.execute(statement)
    ]


def overdue_timer_count(session: Session, *, now: datetime) -> int:
    """How many timers no sweep has fired within OVERDUE of their time: of the MAX_SOON that were due first."""
    overdue = select(timer.clock_id).where(timer.fire_at <= now - OVERDUE).limit(MAX_SOON)
    return session.scalars(select(func.count()).select_from(overdue.subquery())).one()


def remove_recent_counts(session: Session, *, before: datetime) -> None:
    """Delete the counts of promises that were kept and broken before this instant."""
    session.execute(delete(tables.recent_counts).where(recent_count.since < before))


def recent_counts(
    session: Session, *, team: str | None, since: datetime
) -> dict[tuple[datetime, str], int]:
    """How many promises were kept and broken from `since` on, by the start of the five minutes and the outcome."""
    number = cast(func.sum(recent_count.count), BigInteger)
    conditions = [] if team is None else [recent_count.team == team]
    statement = (
        select(recent_count.since, recent_count.outcome, number)
        .where(recent_count.since >= since, *conditions)
        .group_by(recent_count.since, recent_count.outcome)
    )
    return {(step, outcome): count for step, outcome, count in session.execute(statement)}
