"""The life of each handoff: every step, in and out of the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Step
from services.routing.tables import changes
from shared.contracts.payloads import Change
from shared.db.copying import copy_rows


def add_changes(session: Session, steps: Iterable[Step]) -> None:
    """Keep every step."""
    copy_rows(session, changes, changes.c.keys(), map(_change, steps))


def past_of(session: Session, id: UUID) -> list[PastStep]:
    """The handoff's life so far."""
    statement = select(*changes.c).where(changes.c.handoff_id == id).order_by(changes.c.sequence)
    return [
        PastStep(
            change=Change(row.change),
            occurred_at=row.occurred_at,
            actor=row.actor,
            hop=row.hop,
            rep=row.rep,
            details=row.details or {},
        )
        for row in session.execute(statement)
    ]


def _change(it: Step) -> tuple[Any, ...]:
    details = {
        name: told for name, told in it.details.items() if told is not None and told is not False
    }
    return (
        it.handoff.id,
        it.handoff.sequence,
        it.change,
        it.occurred_at,
        it.recorded_at,
        it.actor,
        it.handoff.hop,
        it.handoff.rep,
        orjson.dumps(details) if details else None,
    )
