"""How many times between two steps of handoffs there are, by their length in steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    TableValuedAlias,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.sums import BUSINESS, StepCounts, Timed
from services.alignment.queries.open_hours import OpenHours
from services.alignment.queries.populations import IS_WAITING, TRIGGERED_AT
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import COUNTED, IN_STAGE
from services.alignment.queries.time_steps import in_steps, seconds_between
from services.alignment.tables import handoffs

handoff = handoffs.c
FIRST = 1
"""The index of the first value of an array."""


class _Lap(NamedTuple):
    """Two instants between which a time is measured, and of which handoffs it is."""

    condition: ColumnElement[bool]
    begin: ColumnElement[Any]
    end: ColumnElement[Any]


_attempts = handoff.attempted_at
_ACCEPT = _Lap(IN_STAGE[Stage.ACCEPTED], handoff.qualified_at, handoff.accepted_at)
_CONTACT = _Lap(
    and_(IN_STAGE[Stage.CONTACTED], handoff.accepted_at.is_not(None)),
    handoff.accepted_at,
    handoff.contacted_at,
)
_WIN = _Lap(
    and_(IN_STAGE[Stage.WON], handoff.contacted_at.is_not(None)),
    handoff.contacted_at,
    handoff.closed_at,
)
_LAPS: Mapping[Timed, _Lap] = {
    Timed.HANDOVER: _Lap(IN_STAGE[Stage.ASSIGNED], TRIGGERED_AT, handoff.assigned_at),
    Timed.SPREAD: _Lap(
        and_(COUNTED, func.cardinality(_attempts) > 1),
        _attempts[FIRST],
        _attempts[func.cardinality(_attempts)],
    ),
    Timed.ACCEPT: _ACCEPT,
    Timed.CONTACT: _CONTACT,
    Timed.WIN: _WIN,
    Timed.WHOLE: _Lap(IN_STAGE[Stage.WON], handoff.qualified_at, handoff.closed_at),
    Timed.BUSINESS_ACCEPT: _ACCEPT,
    Timed.BUSINESS_CONTACT: _CONTACT,
    Timed.BUSINESS_WIN: _WIN,
}
"""What is measured as each time."""


def times_in(
    session: Session, scope: Scope, kinds: Collection[Timed], hours: OpenHours | None = None
) -> dict[Timed, StepCounts]:
    """How many times of each kind there are by their seconds in steps; those in business hours need the hours."""
    times = _times(kinds, hours)
    source: FromClause = handoffs
    if hours is not None:
        source = source.outerjoin(hours.table, hours.of_handoff)
    steps = in_steps(times.c.seconds).label("steps")
    statement = (
        select(times.c.kind, steps, func.count())
        .select_from(source.join(times, times.c.seconds.is_not(None)))
        .where(*scope.conditions())
        .group_by(times.c.kind, steps)
    )
    counts: dict[Timed, dict[int, int]] = {it: {} for it in kinds}
    for kind, seconds, number in session.execute(statement):
        counts[Timed(kind)][seconds] = number
    return dict(counts)


def waiting_in(session: Session, scope: Scope, now: datetime) -> StepCounts:
    """How long the leads that wait for their first assignment have waited. It grows, so it is never stored."""
    seconds = seconds_between(TRIGGERED_AT, cast(literal(now), handoff.qualified_at.type))
    steps = in_steps(seconds).label("steps")
    statement = (
        select(steps, func.count().label("number"))
        .where(*scope.conditions(), IS_WAITING)
        .group_by(steps)
    )
    return {row.steps: row.number for row in session.execute(statement)}


def _times(kinds: Collection[Timed], hours: OpenHours | None) -> TableValuedAlias:
    """A row for each kind of time of a handoff; its seconds are null where the handoff has no such time."""
    names = array([literal(it.value, Text) for it in kinds])
    seconds = array([_seconds(it, hours) for it in kinds])
    return (
        func.unnest(names, seconds)
        .table_valued(column("kind", Text), column("seconds", Float), name="times")
        .render_derived()
    )


def _seconds(kind: Timed, hours: OpenHours | None) -> ColumnElement[float]:
    lap = _LAPS[kind]
    between = seconds_between if hours is None or kind not in BUSINESS else hours.seconds_between
    return case((lap.condition, between(lap.begin, lap.end)))
