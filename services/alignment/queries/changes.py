"""The changes of handoffs, without names of people, from which facts are derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid, any_, cast, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.tables import changes
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topics import HANDOFFS_CHANGED


def add_changes(session: Session, handoff_changes: Sequence[HandoffChanged]) -> set[UUID]:
    """Add the changes that are not stored yet; returns the ids of their handoffs."""
    statement = insert(changes).on_conflict_do_nothing().returning(changes.c.handoff_id)
    rows = [
        {
            "handoff_id": change.handoff_id,
            "sequence": change.sequence,
            "payload": msgspec.to_builtins(
                msgspec.structs.replace(change, lead_name=None, actor=None)
            ),
        }
        for change in handoff_changes
    ]
    return set(session.scalars(statement, rows)) if rows else set()


def histories_of(session: Session, handoff_ids: Set[UUID]) -> list[list[HandoffChanged]]:
    """All stored changes of each of these handoffs, in the order of `sequence`."""
    statement = (
        select(changes.c.handoff_id, changes.c.payload)
        .where(changes.c.handoff_id == any_(cast(list(handoff_ids), ARRAY(Uuid))))
        .order_by(changes.c.handoff_id, changes.c.sequence)
    )
    histories: dict[UUID, list[HandoffChanged]] = defaultdict(list)
    for handoff_id, payload in session.execute(statement):
        histories[handoff_id].append(HANDOFFS_CHANGED.codec.convert(payload))
    return list(histories.values())
