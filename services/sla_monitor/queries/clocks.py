"""What happened to handoffs, their clocks, and the tallies that move with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import Result, Row, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, End, EscalationStep, State
from services.sla_monitor.domain.tallies import Tally
from shared.contracts.payloads import HandoffChanged, Scope
from shared.contracts.topics import HANDOFFS_CHANGED

CHANNEL = "leadbaton_clocks"
"""Where sweepers hear of the first instant at which something new is due."""


def add_changes(session: Session, changes: Sequence[HandoffChanged]) -> set[UUID]:
    """The handoffs of which something was not known before."""
    statement = (
        insert(tables.changes).on_conflict_do_nothing().returning(tables.changes.c.handoff_id)
    )
    rows = [
        {
            "handoff_id": change.handoff_id,
            "sequence": change.sequence,
            "payload": msgspec.to_builtins(change),
        }
        for change in changes
    ]
    return set(session.scalars(statement, rows)) if rows else set()


def histories_of(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[HandoffChanged]]:
    """All that is known of these handoffs, in the order in which it happened to them."""
    statement = (
        select(tables.changes.c.handoff_id, tables.changes.c.payload)
        .where(tables.changes.c.handoff_id.in_(handoff_ids))
        .order_by(tables.changes.c.handoff_id, tables.changes.c.sequence)
    )
    histories: dict[UUID, list[HandoffChanged]] = defaultdict(list)
    for handoff_id, payload in session.execute(statement):
        histories[handoff_id].append(HANDOFFS_CHANGED.codec.convert(payload))
    return histories


def locked_clocks(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[Clock]]:
    """These handoffs' clocks, locked until the transaction ends, so that no sweep fires them now."""
    ours = tables.clocks.c.handoff_id.in_(handoff_ids)
    timer = tables.timers.c.clock_id
    locking = select(timer).select_from(CLOCKS).where(ours).order_by(timer)
    session.execute(locking.with_for_update(of=tables.timers))
    clocks: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in clocks_in(session.execute(select(*COLUMNS).select_from(CLOCKS).where(ours))):
        clocks[clock.handoff_id].append(clock)
    return clocks


def save_clocks(session: Session, clocks: Sequence[Clock]) -> None:
    """Insert or replace; sweepers hear when the first of them is due."""
    if not clocks:
        return
    statement = insert(tables.clocks)
    changed = {
        column.name: statement.excluded[column.name]
        for column in tables.clocks.c
        if not column.primary_key
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=changed),
        [_row(clock) for clock in sorted(clocks, key=lambda it: it.id)],
    )
    save_timers(session, clocks)
    if due := [clock.fire_at for clock in clocks if clock.fire_at is not None]:
        session.execute(select(func.pg_notify(CHANNEL, min(due).isoformat())))


_SAVE_TIMERS = text("""
    insert into sla.timers as timer
    select * from json_populate_recordset(cast(null as sla.timers), cast(:timers as json))
    on conflict (clock_id) do update
    set fire_at = excluded.fire_at, warned_at = excluded.warned_at,
        breached_at = excluded.breached_at, detected_at = excluded.detected_at,
        retracted_at = excluded.retracted_at, escalation_count = excluded.escalation_count
""")
_FOUND = ("fire_at", "warned_at", "breached_at", "detected_at", "retracted_at", "escalation_count")


def save_timers(session: Session, clocks: Sequence[Clock]) -> None:
    """When something is due on these clocks next, and what was found on them, in one statement."""
    rows = [
        {"clock_id": clock.id, **{name: getattr(clock, name) for name in _FOUND}}
        for clock in clocks
    ]
    session.execute(_SAVE_TIMERS, {"timers": orjson.dumps(rows).decode()})


def drop_clocks(session: Session, clock_ids: Set[UUID]) -> None:
    """Forget clocks that never should have been."""
    if clock_ids:
        session.execute(delete(tables.timers).where(tables.timers.c.clock_id.in_(clock_ids)))
        session.execute(delete(tables.clocks).where(tables.clocks.c.id.in_(clock_ids)))


_ADD_TALLIES = text("""
    insert into sla.tallies as tally
    select * from json_populate_recordset(cast(null as sla.tallies), cast(:moved as json))
    on conflict (rep, tier, due_on, team, kind, scope, measure, bucket)
    do update set count = tally.count + excluded.count
""")
EVERY = "*"
"""The rep or the tier of a tally that is over all of them."""


def add_tallies(session: Session, moved: Mapping[Tally, int]) -> None:
    """Move the tallies, in the order of their keys; last of all, for many wait for the same few rows."""
    if not moved:
        return
    counts: Counter[Tally] = Counter()
    for tally, count in moved.items():
        for rep, tier in product((tally.rep, EVERY), (tally.tier, EVERY)):
            counts[tally._replace(rep=rep, tier=tier)] += count
    rows = [{**tally._asdict(), "count": count} for tally, count in sorted(counts.items()) if count]
    session.execute(_ADD_TALLIES, {"moved": orjson.dumps(rows).decode()})


CLOCKS = tables.clocks.join(tables.timers, tables.timers.c.clock_id == tables.clocks.c.id)
"""Where `COLUMNS` are selected from."""

AT_RISK = (
    tables.timers.c.warned_at.is_not(None),
    tables.timers.c.breached_at.is_(None),
    tables.timers.c.fire_at.is_not(None),
)
"""It runs, was warned of and is not broken; what is due on it next is then its breach."""

_PLAIN = Clock._fields[: Clock._fields.index("scope")]
_LAST = Clock._fields[Clock._fields.index("warned_at") :]
_MADE = ("scope", "escalation_steps", "state", "ended_at", "ended_by", "spent", "traceparent")
COLUMNS = [
    *(tables.clocks.c[name] for name in (*_PLAIN, *_MADE)),
    *(tables.timers.c[name] for name in _LAST),
]
"""What a clock is made of, in the order of its fields."""


def clock_in(row: Row[*tuple[Any, ...]]) -> Clock:
    """The clock that a row of `COLUMNS` holds."""
    scope, escalation_steps, state, at, by, spent, traceparent = row[_MADE_OF]
    return Clock._make(
        (
            *row[: _MADE_OF.start],
            _SCOPES[scope],
            tuple([EscalationStep(datetime.fromisoformat(at), to) for at, to in escalation_steps]),
            _STATES[state],
            None if at is None else End(at, by, spent),
            traceparent,
            *row[_MADE_OF.stop :],
        )
    )


_SCOPES = {it.value: it for it in Scope}
_STATES = {it.value: it for it in State}
_MADE_OF = slice(len(_PLAIN), len(_PLAIN) + len(_MADE))


def clocks_in(rows: Result[*tuple[Any, ...]]) -> list[Clock]:
    """The clocks that rows of `COLUMNS` hold."""
    return [clock_in(row) for row in rows.all()]


def _row(clock: Clock) -> dict[str, Any]:
    at, by, spent = clock.end or (None, None, None)
    return {
        **{name: getattr(clock, name) for name in _PLAIN},
        "scope": clock.scope.value,
        "escalation_steps": [[step.at.isoformat(), step.notify] for step in clock.escalation_steps],
        "state": clock.state.value,
        "ended_at": at,
        "ended_by": by,
        "spent": spent,
        "traceparent": clock.traceparent,
    }
