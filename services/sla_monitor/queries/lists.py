"""Lists of clocks, each bounded in what it reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.queries.clocks import AT_RISK, CLOCKS, read_clocks
from services.sla_monitor.queries.walks import Listed, Slice, Walk, walked_clocks
from shared.contracts.payloads import Scope
from shared.db.time_range import ALWAYS, TimeRange

clock = tables.clocks.c
timer = tables.timers.c
tally = tables.tallies.c

OPEN = clock.ended_at.is_(None)
OPEN_BY = ("rep", "team")
"""Fields of the filter by which open clocks have an index."""

OPEN_OR_BROKEN = or_(OPEN, clock.ended_at > clock.due_at)

ID_DIGITS = 32
"""Hexadecimal digits of an id."""
LAST_ID = UUID("f" * ID_DIGITS)


class BreachCause(StrEnum):
    """How a promise broke."""

    LATE = "late"
    OVERDUE = "overdue"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ClockFilter:
    """Which clocks or tallies; a field that is None filters nothing."""

    team: str | None = None
    rep: str | None = None
    tier: str | None = None
    kind: str | None = None
    scope: str | None = None
    source: str | None = None
    campaign: str | None = None
    times: TimeRange = ALWAYS
    acknowledged: bool | None = None
    handoff_id: UUID | None = None
    cause: BreachCause | None = None
    due_on: tuple[date, date] | None = None
    """The first and the last due date, in the calendars of the clocks."""
    visible_to: str | None = None
    """Only clocks that this rep may see: of the rep's hops, and of journeys that the rep has now."""


def breaches(
    session: Session,
    clock_filter: ClockFilter,
    page: Slice,
    *,
    now: datetime,
    still_open: bool,
) -> Listed:
    """Clocks that are broken by now, the newest first; with `still_open` only the unanswered ones.

    A clock is broken from its due time on, whether or not a sweep has detected it.
    """
    conditions = [OPEN if still_open else OPEN_OR_BROKEN, clock.due_at <= now]
    walk = Walk(clock.due_at, clock.id, conditions, newest_first=True)
    indexed = OPEN_BY if still_open else ()
    return _list(session, walk, clock_filter, page, indexed=indexed)


def at_risk(session: Session, clock_filter: ClockFilter, page: Slice, *, now: datetime) -> Listed:
    """Clocks past their warning and not yet due, in the order of `at_risk_order`."""
    if clock_filter.rep is None and clock_filter.team is None:
        walk = Walk(timer.fire_at, timer.clock_id, [*AT_RISK, timer.fire_at > now])
        # A position in place of the start: else the planner may walk the index that has no ids, and sort.
        page = replace(page, after=page.after or (now, LAST_ID))
        return _list(session, walk, clock_filter, page)
    walk = replace(_running(now), examined=_is_at_risk)
    return _list(session, walk, clock_filter, page, indexed=OPEN_BY)


def at_risk_order(clock_filter: ClockFilter) -> Callable[[Clock], datetime]:
    """By which instant clocks at risk are listed: by their due time or, where that has no index, the next step's."""
    if clock_filter.rep is None and clock_filter.team is None:
        return lambda clock: clock.fire_at or clock.due_at
    return lambda clock: clock.due_at


def _is_at_risk(columns: Any) -> list[ColumnElement[bool]]:
    return [exists().where(timer.clock_id == columns.id, *AT_RISK)]


def upcoming(session: Session, clock_filter: ClockFilter, page: Slice, *, now: datetime) -> Listed:
    """Clocks that run and are not due yet, those at risk too, the next due one first."""
    return _list(session, _running(now), clock_filter, page, indexed=OPEN_BY)


def all_clocks(
    session: Session,
    clock_filter: ClockFilter,
    page: Slice,
    *,
    now: datetime | None = None,
    state: State | None = None,
    reported_late: bool | None = None,
) -> Listed:
    """Clocks, the newest first: in this state, and met ones reported late or all others, where these are not None."""

    def examined(columns: Any) -> list[ColumnElement[bool]]:
        return [
            *([] if state is None else _in_state(columns, state, now or func.now())),
            *([~columns.reported_late] if reported_late is False else []),
        ]

    walk = Walk(
        clock.started_at,
        clock.id,
        [clock.reported_late] if reported_late else [],
        newest_first=True,
        examined=examined if state is not None or reported_late is False else None,
    )
    return _list(session, walk, clock_filter, page, indexed=("handoff_id",))


def _in_state(columns: Any, state: State, now: Any) -> list[ColumnElement[bool]]:
    """Conditions for clocks in this state at this instant: stored clocks run while they are paused."""
    if state not in (State.RUNNING, State.PAUSED):
        return [columns.state == state.value]
    # A scalar, looked up by key for each examined clock: of an `exists` the planner may make a join of all timers.
    paused_until = select(timer.paused_until).where(timer.clock_id == columns.id).scalar_subquery()
    is_paused = (paused_until > now).is_(true())
    is_running = columns.state == State.RUNNING.value
    return [is_running, is_paused if state is State.PAUSED else ~is_paused]


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
    conditions = [] if visible_to is None else _visible(visible_to, clock)
    clocks = read_clocks(session, CLOCKS.where(clock.id == clock_id, *conditions))
    return next(iter(clocks), None)


def _running(now: datetime) -> Walk:
    """The clocks that run and are not due yet."""
    return Walk(clock.due_at, clock.id, [OPEN, clock.due_at > now])


def _list(
    session: Session,
    walk: Walk,
    clock_filter: ClockFilter,
    page: Slice,
    *,
    indexed: Sequence[str] = (),
) -> Listed:
    """The page of the walk that meets the filter.

    Each of the `indexed` fields has an index of its own in the order of the walk: the first that is set is used.
    """
    field = next((it for it in indexed if getattr(clock_filter, it) is not None), None)
    prefix, of_index = None, list[ColumnElement[bool]]()
    if field is not None and indexed == OPEN_BY:
        # A range in place of an equality: else the planner may walk the index without this field in vain.
        prefix, value = clock[field], getattr(clock_filter, field)
        of_index = [prefix >= value, prefix <= value]
    elif field is not None:
        of_index = [clock[field] == getattr(clock_filter, field)]
    rest = {it.name for it in fields(clock_filter)} - {"times", field}
    needs_examination = any(getattr(clock_filter, it) is not None for it in rest)
    of_walk = walk.examined

    def examined(columns: Any) -> list[ColumnElement[bool]]:
        return [
            *examined_conditions(clock_filter, columns),
            *([] if of_walk is None else of_walk(columns)),
        ]

    conditions = [*walk.conditions, *of_index, *clock_filter.times.conditions(walk.at)]
    is_examined = needs_examination or of_walk is not None
    narrowed = replace(
        walk,
        conditions=conditions,
        prefix=prefix,
        examined=examined if is_examined else None,
    )
    return walked_clocks(session, narrowed, page)


def conditions_of(clock_filter: ClockFilter, at: Column[Any]) -> list[ColumnElement[bool]]:
    """The filter's conditions on clocks; its times are those of the column `at`."""
    return [*examined_conditions(clock_filter, clock), *clock_filter.times.conditions(at)]


def examined_conditions(clock_filter: ClockFilter, columns: Any) -> list[ColumnElement[bool]]:
    """The filter's conditions on these columns of clocks, but for its times."""
    conditions = equalities(clock_filter, columns)
    if clock_filter.handoff_id is not None:
        conditions.append(columns.handoff_id == clock_filter.handoff_id)
    if clock_filter.source is not None:
        conditions.append(columns.sources.contains([clock_filter.source]))
    if clock_filter.campaign is not None:
        conditions.append(columns.campaign == clock_filter.campaign)
    if clock_filter.acknowledged is not None:
        acknowledgement = tables.acknowledgements.c
        acknowledged = exists().where(acknowledgement.clock_id == columns.id)
        conditions.append(acknowledged if clock_filter.acknowledged else ~acknowledged)
    if clock_filter.due_on is not None:
        conditions.append(columns.due_on.between(*clock_filter.due_on))
    conditions.extend(_broken_by(clock_filter.cause, columns))
    if clock_filter.visible_to is not None:
        conditions.extend(_visible(clock_filter.visible_to, columns))
    return conditions


def _broken_by(cause: BreachCause | None, columns: Any) -> list[ColumnElement[bool]]:
    """Conditions for broken clocks of this cause; overdue ones are open."""
    match cause:
        case None:
            return []
        case BreachCause.OVERDUE:
            return [columns.ended_at.is_(None)]
    return [columns.state == cause.value]


def _visible(rep: str, columns: Any) -> list[ColumnElement[bool]]:
    """Conditions for clocks of this rep; a journey counts only while the rep has the handoff."""
    change = tables.changes.c
    last_rep = (
        select(change.payload["rep"].astext)
        .where(change.handoff_id == columns.handoff_id)
        .order_by(change.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [columns.rep == rep, or_(columns.scope != Scope.JOURNEY.value, last_rep == rep)]


def equalities(clock_filter: ClockFilter, columns: Any) -> list[ColumnElement[bool]]:
    """The filter's conditions on a table that has its columns."""
    names = ("team", "rep", "tier", "kind", "scope")
    values = {name: getattr(clock_filter, name) for name in names}
    return [columns[name] == value for name, value in values.items() if value is not None]
