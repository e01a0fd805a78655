"""The facts of promises about handoffs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from services.alignment.domain.promises import PromiseFacts
from services.alignment.tables import handoffs, promises

promise = promises.c

IS_BROKEN = promise.breached_at.is_not(None) & (
    promise.retracted_at.is_(None) | (promise.breached_at > promise.retracted_at)
)
IS_MET = (
    ~IS_BROKEN
    & promise.met_at.is_not(None)
    & (promise.retracted_at.is_(None) | (promise.met_at >= promise.retracted_at))
)

KEPT = (
    select(
        func.count().filter(IS_MET).label("met"),
        func.count().filter(IS_BROKEN).label("broken"),
    )
    .where(promise.handoff_id == handoffs.c.handoff_id)
    .lateral("kept")
)
"""How many promises about a handoff were met, and how many broken: one row, to which handoffs are joined."""

_INSTANTS = ("met_at", "breached_at", "retracted_at")
_OF_LAST = ("due_on", "team", "tier", "detected_at")


def add_promises(session: Session, facts: Sequence[PromiseFacts]) -> None:
    """Add the facts, one each clock and in the order of their ids; of two instants the later one stays."""
    if facts:
        rows = orjson.dumps([it._asdict() for it in facts]).decode()
        session.execute(_ADD, {"facts": rows})


def _rank(columns: Any) -> tuple[ColumnElement[Any], ...]:
    """As the facts rank themselves; rows of before have no instant, and give way."""
    return (
        func.coalesce(columns.detected_at, text("'-infinity'::timestamptz")),
        columns.due_on,
        columns.team.collate("C"),
        columns.tier.collate("C"),
    )


def _add() -> Insert:
    columns = [column(it, promise[it].type) for it in PromiseFacts._fields]
    facts = func.json_to_recordset(cast(cast(bindparam("facts"), Text), JSON))
    rows = facts.table_valued(*columns, name="facts").render_derived(with_types=True)
    statement = insert(promises).from_select(
        list(PromiseFacts._fields), select(*rows.c).order_by(rows.c.clock_id)
    )
    added = statement.excluded
    is_later = tuple_(*_rank(promise)) < tuple_(*_rank(added))
    kept = {
        **{it: func.greatest(promise[it], added[it]) for it in _INSTANTS},
        **{it: case((is_later, added[it]), else_=promise[it]) for it in _OF_LAST},
    }
    stored = tuple_(*(promise[it] for it in kept))
    return statement.on_conflict_do_update(
        index_elements=["clock_id"],
        set_=kept,
        where=stored.is_distinct_from(tuple_(*kept.values())),
    )


_ADD = _add()
