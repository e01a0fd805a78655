"""How many times between two steps of handoffs there are, by their length in steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.sums import BUSINESS, StepCounts, Timed
from services.alignment.queries.days import DAY, SINCE, UNTIL
from services.alignment.queries.open_hours import HOURS, OpenHours
from services.alignment.queries.populations import IS_WAITING, TRIGGERED_AT
from services.alignment.queries.scopes import FACTS, Scope, Uncounted, field_and_name, named
from services.alignment.queries.selection import COUNTED, IN_STAGE
from services.alignment.queries.time_steps import in_steps, seconds_between
from services.alignment.tables import daily_times, handoffs

handoff, daily = handoffs.c, daily_times.c
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
    parts: list[Select[*tuple[Any, ...]]] = [
        _measured(it, kinds, hours) for it in scope.read_itself
    ]
    if scope.field is not None:
        parts += [_counted(scope, scope.field, it) for it in kinds]
    counts = {it: Counter[int]() for it in kinds}
    for row in session.execute(union_all(*parts)):
        counts[Timed(row.kind)][row.seconds] += row.number
    return dict(counts)


def counted_times() -> Select[*tuple[Any, ...]]:
    """The times of the handoffs that qualified on DAY, by each of their facts; it needs HOURS."""
    of_day = (handoff.qualified_at >= SINCE, handoff.qualified_at < UNTIL)
    times = _times(handoffs, list(Timed), OpenHours(HOURS)).add_columns(*FACTS.values())
    steps = _steps(times.where(*of_day)).subquery().c
    key, facts = (steps.kind, steps.seconds), {it: steps[it] for it in FACTS}
    sets = [tuple_(*key), *(tuple_(*key, it) for it in facts.values())]
    counted = (
        select(*key, *field_and_name(facts), func.count().label("number"))
        .group_by(func.grouping_sets(*sets))
        .subquery()
        .c
    )
    by = (counted.field, counted.name, counted.kind)
    statement: Select[*tuple[Any, ...]] = select(
        DAY.label("counted_on"),
        *by,
        func.array_agg(counted.seconds).label("seconds"),
        cast(func.array_agg(counted.number), ARRAY(Integer)).label("numbers"),
    ).group_by(*by)
    return statement


def _measured(
    part: Uncounted, kinds: Collection[Timed], hours: OpenHours | None
) -> Select[*tuple[Any, ...]]:
    times = _times(part.source, kinds, hours).where(*part.conditions)
    steps = _steps(times).subquery().c
    return select(steps.kind, steps.seconds, func.count().label("number")).group_by(
        steps.kind, steps.seconds
    )


def _steps(times: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """These times in steps, without those that handoffs do not have."""
    rows = times.subquery().c
    others = [it for it in rows if it is not rows.seconds]
    return select(*others, in_steps(rows.seconds).label("seconds")).where(rows.seconds.is_not(None))


def _times(
    source: FromClause, kinds: Collection[Timed], hours: OpenHours | None
) -> Select[*tuple[Any, ...]]:
    """A row for each kind of time of the handoffs of a source; its seconds are null where a handoff has no such time.

    Lists that are selected become rows in three quarters of the time of a function to which each handoff is joined.
    """
    names = array([literal(it.value, Text) for it in kinds])
    seconds = array([_seconds(it, hours) for it in kinds])
    if hours is not None:
        source = source.outerjoin(hours.table, hours.of_handoff)
    return select(
        func.unnest(names).label("kind"), func.unnest(seconds).label("seconds")
    ).select_from(source)


def _counted(scope: Scope, field: str, kind: Timed) -> Select[*tuple[Any, ...]]:
    """What was counted of one kind: groups by numbers alone are found much faster than by texts."""
    rows = (
        select(
            func.unnest(daily.seconds).label("seconds"), func.unnest(daily.numbers).label("number")
        )
        .where(
            daily.field == field,
            *named(scope, daily.name),
            *scope.counted(daily.counted_on),
            daily.kind == kind.value,
        )
        .subquery()
        .c
    )
    name = literal(kind.value, Text).label("kind")
    return select(name, rows.seconds, func.sum(rows.number).label("number")).group_by(rows.seconds)


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


def _seconds(kind: Timed, hours: OpenHours | None) -> ColumnElement[float]:
    lap = _LAPS[kind]
    between = seconds_between if hours is None or kind not in BUSINESS else hours.seconds_between
    return case((lap.condition, between(lap.begin, lap.end)))
