"""Steps of ladders that take handoffs from reps, and the promises that reps broke."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, Uuid, any_, bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.escalations import Action, Escalation, StepOutcome
from services.routing.tables import broken_promises, escalations
from shared.contracts.payloads import SlaChanged
from shared.contracts.topics import SLA_CHANGED

MAX_SHOWN = 100
"""So many steps of a handoff are shown, the last."""


def add_escalations(session: Session, new: Sequence[Escalation]) -> None:
    """Insert steps that are to be carried out; those that are there already are left out."""
    rows = [
        {
            "id": it.id,
            "handoff_id": it.handoff_id,
            "hop": it.hop,
            "rep": it.rep,
            "step": it.step,
            "policy": it.policy,
            "due_at": it.due_at,
            "clock": None if it.clock is None else msgspec.to_builtins(it.clock),
        }
        for it in new
    ]
    if rows:
        session.execute(insert(escalations).on_conflict_do_nothing(), rows)


def claim_pending(session: Session, *, limit: int) -> list[Escalation]:
    """Steps that are to be carried out, those that were due first, locked; others' are left out."""
    statement = (
        _escalations()
        .where(escalations.c.outcome.is_(None))
        .order_by(escalations.c.due_at, escalations.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_escalation(row) for row in session.execute(statement)]


def save_outcomes(session: Session, outcomes: Mapping[str, StepOutcome], *, now: datetime) -> None:
    """Save what came of steps, by their ids."""
    if outcomes:
        session.connection().execute(
            update(escalations)
            .where(escalations.c.id == bindparam("at_id"))
            .values(outcome=bindparam("outcome"), done_at=now),
            [{"at_id": id, "outcome": it} for id, it in outcomes.items()],
        )


def escalations_of(session: Session, handoff_id: UUID) -> list[Escalation]:
    """The steps about the handoff by hop in the order in which they were due, the last ones of many."""
    statement = (
        _escalations()
        .where(escalations.c.handoff_id == handoff_id)
        .order_by(escalations.c.hop.desc(), escalations.c.due_at.desc(), escalations.c.id.desc())
        .limit(MAX_SHOWN)
    )
    return [_escalation(row) for row in reversed(session.execute(statement).all())]


def add_broken_promises(session: Session, broken: Sequence[SlaChanged]) -> None:
    """Insert the promises that reps broke."""
    rows = [{"clock_id": it.clock_id, "handoff_id": it.handoff_id, "rep": it.rep} for it in broken]
    if rows:
        session.execute(insert(broken_promises).on_conflict_do_nothing(), rows)


def delete_broken_promises(session: Session, clock_ids: Collection[UUID]) -> None:
    """Delete those that turned out to be kept."""
    if clock_ids:
        wanted_ids = any_(literal(list(clock_ids), ARRAY(Uuid)))
        session.execute(delete(broken_promises).where(broken_promises.c.clock_id == wanted_ids))


def _escalations() -> Select[*tuple[Any, ...]]:
    return select(*escalations.c)


def _escalation(row: Row[Any]) -> Escalation:
    values = row._asdict()
    values["step"] = Action(row.step)
    values["outcome"] = None if row.outcome is None else StepOutcome(row.outcome)
    values["clock"] = None if row.clock is None else SLA_CHANGED.codec.convert(row.clock)
    return Escalation(**values)
