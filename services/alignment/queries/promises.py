"""The facts of promises about handoffs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.domain.promises import KeptCounts, PromiseFacts
from services.alignment.tables import promises

promise = promises.c

IS_BROKEN = promise.breached_at.is_not(None) & (
    promise.retracted_at.is_(None) | (promise.breached_at > promise.retracted_at)
)
IS_MET = (
    ~IS_BROKEN
    & promise.met_at.is_not(None)
    & (promise.retracted_at.is_(None) | (promise.met_at >= promise.retracted_at))
)

_INSTANTS = ("met_at", "breached_at", "retracted_at")
_OF_LAST = ("due_on", "team", "tier", "detected_at")


def add_promises(session: Session, facts: Sequence[PromiseFacts]) -> None:
    """Add the facts, one each clock and in the order of their ids; of two instants the later one stays."""
    if not facts:
        return
    statement = insert(promises)
    stored, added = promises.c, statement.excluded
    is_later = tuple_(*_rank(stored)) < tuple_(*_rank(added))
    latest = {it: func.greatest(stored[it], added[it]) for it in _INSTANTS}
    of_last = {it: case((is_later, added[it]), else_=stored[it]) for it in _OF_LAST}
    session.execute(
        statement.on_conflict_do_update(index_elements=["clock_id"], set_={**latest, **of_last}),
        [it._asdict() for it in facts],
    )


def _rank(columns: Any) -> tuple[ColumnElement[Any], ...]:
    """As the facts rank themselves; rows of before have no instant, and give way."""
    return (
        func.coalesce(columns.detected_at, text("'-infinity'::timestamptz")),
        columns.due_on,
        columns.team.collate("C"),
        columns.tier.collate("C"),
    )


def kept_counts(
    session: Session, handoff_ids: Collection[UUID]
) -> dict[UUID, dict[str, KeptCounts]]:
    """How many promises about each of these handoffs were met and broken, by policy; a dictionary each."""
    if not handoff_ids:
        return {}
    statement = (
        select(
            promise.handoff_id,
            promise.policy,
            func.count().filter(IS_MET).label("met"),
            func.count().filter(IS_BROKEN).label("broken"),
        )
        .where(promise.handoff_id.in_(handoff_ids))
        .group_by(promise.handoff_id, promise.policy)
    )
    kept: dict[UUID, dict[str, KeptCounts]] = {it: {} for it in handoff_ids}
    for row in session.execute(statement):
        if row.met or row.broken:
            kept[row.handoff_id][row.policy] = KeptCounts(row.met, row.broken)
    return kept
