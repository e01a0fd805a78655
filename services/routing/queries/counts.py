"""Counts of handoffs, each by an index: the live ones, which are few, and those that were closed on the last days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Date, cast, func, literal_column, select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import State
from services.routing.tables import HELD, handoffs

_WAITING = handoffs.c.state == literal_column("'waiting'")
_HELD = handoffs.c.state.in_([literal_column(f"'{it}'") for it in HELD])


class LiveCount(NamedTuple):
    """How many live handoffs are alike in these four."""

    state: State
    team: str
    rep: str | None
    tier: str
    handoffs: int


class ClosedCount(NamedTuple):
    """How many handoffs ended in this state on a day in UTC."""

    day: date
    state: State
    handoffs: int


def live_counts(session: Session, *, rep: str | None = None) -> Iterator[LiveCount]:
    """The live handoffs, or those that the rep holds."""
    columns = handoffs.c
    keys = (columns.state, columns.team, columns.rep, columns.tier)
    held = select(*keys, func.count().label("handoffs")).where(_HELD).group_by(*keys)
    if rep is not None:
        held = held.where(columns.rep == rep)
    for row in session.execute(held):
        yield LiveCount(State(row.state), row.team, row.rep, row.tier, row.handoffs)
    if rep is None:
        waiting = select(columns.team, columns.tier, func.count().label("handoffs")).where(_WAITING)
        for row in session.execute(waiting.group_by(columns.team, columns.tier)):
            yield LiveCount(State.WAITING, row.team, None, row.tier, row.handoffs)


def closed_counts(
    session: Session, *, since: datetime, rep: str | None = None
) -> list[ClosedCount]:
    """The handoffs that were closed since then, or those of the rep, by day and state; the newest day first."""
    columns = handoffs.c
    day = cast(func.timezone(literal_column("'UTC'"), columns.closed_at), Date).label("day")
    statement = (
        select(day, columns.state, func.count().label("handoffs"))
        .where(columns.closed_at >= since)
        .group_by(day, columns.state)
        .order_by(day.desc(), columns.state)
    )
    if rep is not None:
        statement = statement.where(columns.rep == rep)
    return [
        ClosedCount(row.day, State(row.state), row.handoffs) for row in session.execute(statement)
    ]
