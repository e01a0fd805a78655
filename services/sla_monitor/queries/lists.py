"""Lists of clocks and sums of tallies, each read by an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Text,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.reports import TallySum
from services.sla_monitor.queries.clocks import AT_RISK, CLOCKS, read_clocks
from services.sla_monitor.queries.tallies import EVERY
from shared.contracts.payloads import Scope
from shared.db.time_range import ALWAYS, TimeRange

clock = tables.clocks.c
timer = tables.timers.c
tally = tables.tallies.c

OPEN = clock.ended_at.is_(None)
OPEN_OR_BROKEN = or_(OPEN, clock.ended_at > clock.due_at)

ID_DIGITS = 32
"""Hexadecimal digits of an id."""

Position = tuple[datetime, UUID]
"""The end of a page: the instant that its list is ordered by, and the clock's id."""


@dataclass(frozen=True, slots=True)
class ClockFilter:
    """Which clocks or tallies; a field that is None filters nothing."""

    team: str | None = None
    rep: str | None = None
    tier: str | None = None
    kind: str | None = None
    scope: str | None = None
    times: TimeRange = ALWAYS
    acknowledged: bool | None = None
    handoff_id: UUID | None = None
    visible_to: str | None = None
    """Only clocks that this rep may see: of the rep's hops, and of journeys that the rep has now."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The position after which a page begins, and how many clocks it has at most."""

    after: Position | None = None
    limit: int = 100


def breaches(
    session: Session,
    clock_filter: ClockFilter,
    page: Slice,
    *,
    now: datetime,
    still_open: bool,
) -> list[Clock]:
    """Clocks that are broken by now, the newest first; with `still_open` only the unanswered ones.

    A clock is broken from its due time on, whether or not a sweep has detected it.
    """
    conditions = [OPEN if still_open else OPEN_OR_BROKEN, clock.due_at <= now]
    return _newest(session, clock.due_at, conditions, clock_filter, page)


def at_risk(
    session: Session, clock_filter: ClockFilter, page: Slice, *, now: datetime
) -> list[Clock]:
    """Clocks past their warning and not yet due, the next due one first."""
    conditions = [*AT_RISK, timer.fire_at > now, *conditions_of(clock_filter, timer.fire_at)]
    return _next_due(session, (timer.fire_at, timer.clock_id), conditions, page)


def upcoming(
    session: Session, clock_filter: ClockFilter, page: Slice, *, now: datetime
) -> list[Clock]:
    """Clocks that run and are not due yet, those at risk too, the next due one first."""
    conditions = [OPEN, clock.due_at > now, *conditions_of(clock_filter, clock.due_at)]
    return _next_due(session, (clock.due_at, clock.id), conditions, page)


def all_clocks(
    session: Session,
    clock_filter: ClockFilter,
    page: Slice,
    *,
    state: State | None = None,
    reported_late: bool | None = None,
) -> list[Clock]:
    """Clocks, the newest first: in this state, and met ones reported late or all others, where these are not None."""
    conditions = [] if state is None else [clock.state == state.value]
    if reported_late is not None:
        conditions.append(clock.reported_late if reported_late else ~clock.reported_late)
    return _newest(session, clock.started_at, conditions, clock_filter, page)


def clocks_by_id_prefix(session: Session, prefix: str, *, limit: int = 2) -> list[Clock]:
    """The clocks whose ids begin with these hexadecimal digits."""
    digits = prefix.replace("-", "")
    first, last = (UUID(digits.ljust(ID_DIGITS, digit)) for digit in "0f")
    return read_clocks(session, CLOCKS.where(clock.id.between(first, last)).limit(limit))


def clocks_of(session: Session, handoff_ids: Collection[UUID]) -> list[Clock]:
    """The clocks of these handoffs in the order in which they are or were due."""
    of_handoffs = CLOCKS.where(clock.handoff_id.in_(handoff_ids))
    return read_clocks(session, of_handoffs.order_by(clock.due_at, clock.id))


def find_clock(session: Session, clock_id: UUID, *, visible_to: str | None = None) -> Clock | None:
    """The clock with this id, or None if there is none that the rep `visible_to` may see."""
    conditions = [] if visible_to is None else _visible(visible_to)
    clocks = read_clocks(session, CLOCKS.where(clock.id == clock_id, *conditions))
    return next(iter(clocks), None)


class GroupBy(StrEnum):
    """What the groups of a report are."""

    TEAM = "team"
    REP = "rep"
    TIER = "tier"
    DAY = "day"


def tally_sums(
    session: Session, group_by: GroupBy, clock_filter: ClockFilter, *, first: date, last: date
) -> list[TallySum]:
    """The sums, by group, of tallies of clocks that were due from the first to the last date."""
    group = tally.due_on if group_by is GroupBy.DAY else tally[group_by.value]
    number = cast(func.sum(tally.count), BigInteger)  # a sum is a numeric, which is slow to read
    statement = (
        select(cast(group, Text), tally.kind, tally.measure, tally.bucket, number)
        .where(
            tally.due_on.between(first, last),
            *equalities(clock_filter, tally),
            *_sums_over_all(group_by, clock_filter),
        )
        .group_by(group, tally.kind, tally.measure, tally.bucket)
        .order_by(group)
    )
    return list(map(TallySum._make, session.execute(statement)))


def _sums_over_all(group_by: GroupBy, clock_filter: ClockFilter) -> list[ColumnElement[bool]]:
    """Conditions that read the tallies over all reps or tiers, where single ones are not asked for."""
    reps = [tally.rep.not_in(["", EVERY])] if group_by is GroupBy.REP else [tally.rep == EVERY]
    tiers = [tally.tier != EVERY] if group_by is GroupBy.TIER else [tally.tier == EVERY]
    return [
        *(reps if clock_filter.rep is None else ()),
        *(tiers if clock_filter.tier is None else ()),
    ]


def daily_tally_sums(
    session: Session, group_by: GroupBy, clock_filter: ClockFilter, *, first: date, last: date
) -> dict[str, list[TallySum]]:
    """For each team, rep or tier the sums by day of tallies of clocks that were due from the first to the last date."""
    group = tally[group_by.value]
    number = cast(func.sum(tally.count), BigInteger)
    keys = (tally.due_on, tally.kind, tally.measure, tally.bucket)
    statement = (
        select(group, cast(tally.due_on, Text), tally.kind, tally.measure, tally.bucket, number)
        .where(
            tally.due_on.between(first, last),
            *equalities(clock_filter, tally),
            *_sums_over_all(group_by, clock_filter),
        )
        .group_by(group, *keys)
        .order_by(group, tally.due_on)
    )
    series: dict[str, list[TallySum]] = defaultdict(list)
    for name, *tally_sum in session.execute(statement):
        series[name].append(TallySum(*tally_sum))
    return series


def _next_due(
    session: Session,
    order: tuple[Column[Any], Column[Any]],
    conditions: Sequence[ColumnElement[bool]],
    page: Slice,
) -> list[Clock]:
    after = [] if page.after is None else [tuple_(*order) > tuple_(*page.after)]
    statement = CLOCKS.where(*conditions, *after).order_by(*order).limit(page.limit)
    return read_clocks(session, statement)


def _newest(
    session: Session,
    at: Column[Any],
    conditions: Sequence[ColumnElement[bool]],
    clock_filter: ClockFilter,
    page: Slice,
) -> list[Clock]:
    conditions = [*conditions, *conditions_of(clock_filter, at)]
    if page.after is not None:
        conditions.append(tuple_(at, clock.id) < tuple_(*page.after))
    order = (at.desc(), clock.id.desc())
    return read_clocks(session, CLOCKS.where(*conditions).order_by(*order).limit(page.limit))


def conditions_of(clock_filter: ClockFilter, at: Column[Any]) -> list[ColumnElement[bool]]:
    """The filter's conditions on clocks; its times are those of the column `at`."""
    conditions = [*equalities(clock_filter, clock), *clock_filter.times.conditions(at)]
    if clock_filter.handoff_id is not None:
        conditions.append(clock.handoff_id == clock_filter.handoff_id)
    if clock_filter.acknowledged is not None:
        acknowledgement = tables.acknowledgements.c
        acknowledged = exists().where(acknowledgement.clock_id == clock.id)
        conditions.append(acknowledged if clock_filter.acknowledged else ~acknowledged)
    if clock_filter.visible_to is not None:
        conditions.extend(_visible(clock_filter.visible_to))
    return conditions


def _visible(rep: str) -> list[ColumnElement[bool]]:
    """Conditions for clocks of this rep; a journey counts only while the rep has the handoff."""
    change = tables.changes.c
    last_rep = (
        select(change.payload["rep"].astext)
        .where(change.handoff_id == clock.handoff_id)
        .order_by(change.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [clock.rep == rep, or_(clock.scope != Scope.JOURNEY.value, last_rep == rep)]


def equalities(clock_filter: ClockFilter, columns: Any) -> list[ColumnElement[bool]]:
    """The filter's conditions on a table that has its columns."""
    names = ("team", "rep", "tier", "kind", "scope")
    values = {name: getattr(clock_filter, name) for name in names}
    return [columns[name] == value for name, value in values.items() if value is not None]
