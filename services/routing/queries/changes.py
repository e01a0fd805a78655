"""Steps of handoffs, and the handoffs as their last steps leave them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Integer, Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, Step
from services.routing.queries import handoffs
from services.routing.tables import changes
from shared.contracts.payloads import Change
from shared.db.copying import copy_rows


@contextmanager
def adding_handoffs(session: Session, steps: Sequence[Step]) -> Iterator[None]:
    """Add new handoffs as their last steps leave them.

    The block runs while PostgreSQL inserts them, and may not use the session.
    """
    if not steps:
        yield
        return
    with handoffs.adding_handoffs(session, _after(steps)):
        yield


def save_handoffs(session: Session, steps: Sequence[Step]) -> None:
    """Save handoffs as their last steps leave them."""
    handoffs.save_handoffs(session, _after(steps))


def add_changes(session: Session, steps: Sequence[Step]) -> None:
    """Insert every step."""
    if steps:
        copy_rows(session, changes, changes.c.keys(), map(_change, steps))


def past_steps(session: Session, id: UUID) -> list[PastStep]:
    """The handoff's steps so far, in order."""
    return steps_of_handoffs(session, [id]).get(id, [])


def steps_of_handoffs(session: Session, ids: Collection[UUID]) -> dict[UUID, list[PastStep]]:
    """The steps of these handoffs so far, each in order; a handoff without any is absent."""
    if not ids:
        return {}
    statement = (
        select(*changes.c)
        .where(changes.c.handoff_id == any_(literal(list(ids), ARRAY(Uuid))))
        .order_by(changes.c.handoff_id, changes.c.sequence)
    )
    steps: dict[UUID, list[PastStep]] = {}
    for row in session.execute(statement):
        steps.setdefault(row.handoff_id, []).append(
            PastStep(
                change=Change(row.change),
                occurred_at=row.occurred_at,
                actor=row.actor,
                hop=row.hop,
                rep=row.rep,
                details=_details_of(row.details),
                recorded_at=row.recorded_at,
            )
        )
    return steps


class Holder(NamedTuple):
    """The rep who held a handoff, and in which hop."""

    rep: str
    hop: int


def holders_before(
    session: Session, steps: Collection[tuple[UUID, int]]
) -> dict[tuple[UUID, int], Holder]:
    """Who held the handoff before each of these steps (id and sequence); absent where nobody did."""
    if not steps:
        return {}
    wanted_steps = (
        func.unnest(
            literal([id_ for id_, _ in steps], ARRAY(Uuid)),
            literal([sequence for _, sequence in steps], ARRAY(Integer)),
        )
        .table_valued("handoff_id", "sequence")
        .render_derived()
    )
    statement = select(
        wanted_steps.c.handoff_id, wanted_steps.c.sequence, changes.c.rep, changes.c.hop
    ).join(
        changes,
        (changes.c.handoff_id == wanted_steps.c.handoff_id)
        & (changes.c.sequence == wanted_steps.c.sequence - 1),
    )
    return {
        (row.handoff_id, row.sequence): Holder(row.rep, row.hop)
        for row in session.execute(statement.where(changes.c.rep.is_not(None)))
    }


def _after(steps: Iterable[Step]) -> list[Handoff]:
    return list({it.handoff.id: it.handoff for it in steps}.values())


def _details_of(json: dict[str, Any] | None) -> dict[str, Any]:
    """The details of a stored step: of a pause, its end as an instant."""
    details = json or {}
    if "resumes_at" in details:
        details["resumes_at"] = datetime.fromisoformat(details["resumes_at"])
    return details


def _change(step: Step) -> tuple[Any, ...]:
    details = {name: value for name, value in step.details.items() if value is not None}
    return (
        step.handoff.id,
        step.handoff.sequence,
        step.change,
        step.occurred_at,
        step.recorded_at,
        step.actor,
        step.handoff.hop,
        step.handoff.rep,
        orjson.dumps(details) if details else None,
    )
