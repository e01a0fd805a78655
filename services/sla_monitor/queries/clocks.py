"""Clocks and their timers: they are read, locked, claimed when they are due, and saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Dialect,
    Select,
    Text,
    TypeDecorator,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, EscalationStep, State
from shared.contracts.payloads import Scope

clock = tables.clocks.c
timer = tables.timers.c

CHANNEL = "leadbaton_clocks"
"""The channel on which sweepers are notified of the first instant at which a saved clock is due."""

ROWS_READ_AT_ONCE = 5_000

OVERDUE = timedelta(seconds=10)
"""A timer that has not fired this long after it was due is counted as overdue."""


class _Converted(TypeDecorator[Any]):
    """A column whose values are converted when they are read."""

    impl = Text
    cache_ok = True

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self.convert = convert

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[Any], Any]:
        return self.convert


def _escalation_steps(steps: Sequence[Sequence[Any]]) -> tuple[EscalationStep, ...]:
    return tuple([EscalationStep(datetime.fromisoformat(at), *rest) for at, *rest in steps])


def _sources(sources: list[str] | None) -> tuple[str, ...] | None:
    return None if sources is None else tuple(sources)


_CONVERTED = {
    "sources": _Converted(_sources),
    "scope": _Converted({scope.value: scope for scope in Scope}.__getitem__),
    "state": _Converted({state.value: state for state in State}.__getitem__),
    "escalation_steps": _Converted(_escalation_steps),
}


def _column(name: str) -> ColumnElement[Any]:
    column: Column[Any] = clock[name] if name in clock else timer[name]
    return type_coerce(column, _CONVERTED[name]) if name in _CONVERTED else column


CLOCKS = select(*map(_column, Clock._fields)).join_from(
    tables.clocks, tables.timers, timer.clock_id == clock.id
)
"""Every field of a Clock, in order, for `read_clocks`."""

AT_RISK = (
    timer.warned_at.is_not(None),
    timer.breached_at.is_(None),
    timer.fire_at.is_not(None),
    timer.paused_until.is_(None),
)
"""The clock runs, was warned of, is neither breached nor paused.

Its `fire_at` is its due time, or the time of a step before it.
"""


def read_clocks(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Clock]:
    """The clocks that a narrowed `CLOCKS` selects."""
    return [Clock._make(row) for row in session.execute(statement).all()]


def clocks_due_on(session: Session, due_on: date) -> Iterator[Clock]:
    """All clocks that are or were due on the date, read a few thousand at a time."""
    statement = CLOCKS.where(clock.due_on == due_on)
    rows = session.execute(statement, execution_options={"yield_per": ROWS_READ_AT_ONCE})
    return map(Clock._make, rows)


def locked_clocks(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[Clock]]:
    """These handoffs' clocks by handoff, locked until the transaction ends, so that no sweep fires them now."""
    of_handoffs = clock.handoff_id.in_(handoff_ids)
    session.execute(
        select(timer.clock_id)
        .join_from(tables.timers, tables.clocks, timer.clock_id == clock.id)
        .where(of_handoffs)
        .order_by(timer.clock_id)
        .with_for_update(of=tables.timers)
    )
    return clocks_of_handoffs(session, handoff_ids)


def clocks_of_handoffs(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[Clock]]:
    """These handoffs' clocks by handoff."""
    clocks: dict[UUID, list[Clock]] = defaultdict(list)
    for stored in read_clocks(session, CLOCKS.where(clock.handoff_id.in_(handoff_ids))):
        clocks[stored.handoff_id].append(stored)
    return clocks


def find_locked_clock(session: Session, clock_id: UUID) -> Clock | None:
    """The clock with this id, locked until the transaction ends; None if there is none."""
    session.execute(select(timer.clock_id).where(timer.clock_id == clock_id).with_for_update())
    return next(iter(read_clocks(session, CLOCKS.where(clock.id == clock_id))), None)


_DUE = (
    select(timer.clock_id)
    .where(timer.fire_at <= bindparam("now"), timer.fire_at >= bindparam("low"))
    .order_by(timer.fire_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


def claim_due(session: Session, *, now: datetime, low: datetime, limit: int) -> list[Clock]:
    """Clocks on which something is due, locked; those that other sweepers have locked are skipped.

    `low` keeps the claim fast: index entries of timers that fired long ago are not visited again.
    The clocks are read after they are locked, since a locking statement sees them as they were before.
    """
    ids = list(session.scalars(_DUE, {"now": now, "low": low, "limit": limit}))
    if not ids:
        return []
    return read_clocks(session, CLOCKS.where(timer.clock_id == any_(literal(ids, ARRAY(Uuid())))))


def find_next_fire(session: Session, *, low: datetime) -> datetime | None:
    """The first instant from `low` on at which something is due, or None."""
    next_fire: datetime | None = session.scalar(
        select(func.min(timer.fire_at)).where(timer.fire_at >= low)
    )
    return next_fire


def save_clocks(session: Session, clocks: Sequence[Clock]) -> None:
    """Insert or replace the clocks with their timers, and notify sweepers of the first that is due."""
    if not clocks:
        return
    statement = insert(tables.clocks)
    replaced = {name: statement.excluded[name] for name in _CLOCK_FIELDS if name != "id"}
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=replaced),
        [_values(it) for it in sorted(clocks, key=lambda it: it.id)],
    )
    save_timers(session, clocks)
    if due := [it.fire_at for it in clocks if it.fire_at is not None]:
        session.execute(select(func.pg_notify(CHANNEL, min(due).isoformat())))


_CLOCK_FIELDS = [column.name for column in clock]


def _values(saved: Clock) -> dict[str, Any]:
    return {
        **{name: getattr(saved, name) for name in _CLOCK_FIELDS},
        "scope": saved.scope.value,
        "state": saved.state.value,
        "sources": None if saved.sources is None else list(saved.sources),
        "escalation_steps": [[at.isoformat(), *rest] for at, *rest in saved.escalation_steps],
    }


_SAVE_TIMERS = text("""
    insert into sla.timers as timer
    select * from json_populate_recordset(cast(null as sla.timers), cast(:timers as json))
    on conflict (clock_id) do update
    set fire_at = excluded.fire_at, warned_at = excluded.warned_at,
        breached_at = excluded.breached_at, detected_at = excluded.detected_at,
        retracted_at = excluded.retracted_at, escalation_count = excluded.escalation_count,
        paused_until = excluded.paused_until
""")
_TIMER_FIELDS = (
    "fire_at", "warned_at", "breached_at", "detected_at", "retracted_at", "escalation_count",
    "paused_until",
)  # fmt: skip


def save_timers(session: Session, clocks: Sequence[Clock]) -> None:
    """Insert or replace the clocks' timers, in one statement; the rest of the clocks is not written."""
    rows = [
        {"clock_id": it.id, **{name: getattr(it, name) for name in _TIMER_FIELDS}} for it in clocks
    ]
    session.execute(_SAVE_TIMERS, {"timers": orjson.dumps(rows).decode()})


def remove_clocks(session: Session, clock_ids: Set[UUID]) -> None:
    """Delete clocks that never should have started."""
    session.execute(delete(tables.timers).where(timer.clock_id.in_(clock_ids)))
    session.execute(delete(tables.clocks).where(clock.id.in_(clock_ids)))


class ClockCounts(NamedTuple):
    """What the gauges show."""

    overdue_timers: int
    open_breaches: int
    at_risk: int


def clock_counts(session: Session, *, now: datetime) -> ClockCounts:
    """How many timers are overdue and how many clocks are broken or at risk, from partial indexes."""
    count = select(func.count())
    overdue = count.where(timer.fire_at <= now - OVERDUE)
    broken = count.where(clock.ended_at.is_(None), clock.due_at <= now)
    at_risk = count.where(*AT_RISK, timer.fire_at > now)
    columns = [it.scalar_subquery() for it in (overdue, broken, at_risk)]
    overdue_timers, open_breaches, risks = session.execute(select(*columns)).one()
    return ClockCounts(overdue_timers, open_breaches, risks)


def count_open_clocks(session: Session) -> int:
    """How many clocks run; takes half a second where there are a million."""
    return session.scalars(select(func.count()).where(clock.ended_at.is_(None))).one()
