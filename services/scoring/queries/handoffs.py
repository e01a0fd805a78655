"""The last change of each handoff that scoring has applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.scoring.tables import handoffs


def last_sequences(session: Session, handoff_ids: Collection[UUID]) -> dict[UUID, int]:
    """The sequence of the last change that was applied, by handoff; new handoffs are absent."""
    statement = select(handoffs.c.id, handoffs.c.sequence).where(
        handoffs.c.id == any_(literal(list(handoff_ids), ARRAY(Uuid)))
    )
    return {row.id: row.sequence for row in session.execute(statement)}


def save_sequences(session: Session, sequences: Mapping[UUID, int]) -> None:
    """Save the sequence of the last change that was applied, by handoff; there must be at least one."""
    rows = [{"id": it, "sequence": sequences[it]} for it in sorted(sequences)]
    statement = insert(handoffs).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[handoffs.c.id], set_={"sequence": statement.excluded.sequence}
        )
    )
