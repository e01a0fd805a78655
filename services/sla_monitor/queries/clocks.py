"""What happened to handoffs, their clocks, and the tallies that move with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Result, Row, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock, End, Rung, State
from services.sla_monitor.domain.tallies import Tally
from shared.contracts.payloads import HandoffChanged, Scope

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
            "told": change.model_dump(mode="json", exclude_none=True),
        }
        for change in changes
    ]
    return set(session.scalars(statement, rows)) if rows else set()


def histories_of(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[HandoffChanged]]:
    """All that is known of these handoffs, in the order in which it happened to them."""
    statement = (
        select(tables.changes.c.handoff_id, tables.changes.c.told)
        .where(tables.changes.c.handoff_id.in_(handoff_ids))
        .order_by(tables.changes.c.handoff_id, tables.changes.c.sequence)
    )
    histories: dict[UUID, list[HandoffChanged]] = defaultdict(list)
    for handoff_id, told in session.execute(statement):
        histories[handoff_id].append(HandoffChanged.model_validate(told))
    return histories


def locked_clocks(session: Session, handoff_ids: Set[UUID]) -> dict[UUID, list[Clock]]:
    """These handoffs' clocks, locked until the transaction ends, so that no sweep fires them now."""
    statement = (
        select(*COLUMNS)
        .where(tables.clocks.c.handoff_id.in_(handoff_ids))
        .order_by(tables.clocks.c.id)
        .with_for_update()
    )
    clocks: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in clocks_in(session.execute(statement)):
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
    if due := [clock.fire_at for clock in clocks if clock.fire_at is not None]:
        session.execute(select(func.pg_notify(CHANNEL, min(due).isoformat())))


def drop_clocks(session: Session, clock_ids: Set[UUID]) -> None:
    """Forget clocks that never should have been."""
    if clock_ids:
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
    """Move the tallies, in the order of their keys; always after the clocks are locked and saved."""
    if not moved:
        return
    counts: Counter[Tally] = Counter()
    for tally, count in moved.items():
        for rep, tier in product((tally.rep, EVERY), (tally.tier, EVERY)):
            counts[tally._replace(rep=rep, tier=tier)] += count
    rows = [{**tally._asdict(), "count": count} for tally, count in sorted(counts.items()) if count]
    session.execute(_ADD_TALLIES, {"moved": orjson.dumps(rows).decode()})


_NAMES = [field.name for field in fields(Clock) if field.name != "end"]
COLUMNS = [
    *(tables.clocks.c[name] for name in _NAMES),
    *(tables.clocks.c[name] for name in ("ended_at", "ended_by", "spent")),
]
"""What a clock is made of, its end last; the rest follows from it."""


def clock_in(row: Row[*tuple[Any, ...]]) -> Clock:
    """The clock that a row of `COLUMNS` holds."""
    *plain, at, by, spent = row
    held = dict(zip(_NAMES, plain, strict=True))
    held["ladder"] = tuple(Rung(datetime.fromisoformat(at), to) for at, to in held["ladder"])
    held["scope"], held["state"] = Scope(held["scope"]), State(held["state"])
    return Clock(**held, end=None if at is None else End(at, by, spent))


def clocks_in(rows: Result[*tuple[Any, ...]]) -> list[Clock]:
    """The clocks that rows of `COLUMNS` hold."""
    return [clock_in(row) for row in rows.all()]


def _row(clock: Clock) -> dict[str, Any]:
    own = {name: getattr(clock, name) for name in (*_NAMES, "fire_at")}
    end = clock.end
    return {
        **own,
        "scope": clock.scope.value,
        "state": clock.state.value,
        "ladder": [[rung.at.isoformat(), rung.notify] for rung in clock.ladder],
        "ended_at": end and end.at,
        "ended_by": end and end.by,
        "spent": end and end.spent,
    }
