"""The facts of promises about handoffs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.domain.promises import PromiseFacts
from services.alignment.tables import promises


def add_promises(session: Session, facts: Sequence[PromiseFacts]) -> None:
    """Add the facts, one each clock and in the order of their ids; of two instants the later one stays."""
    if not facts:
        return
    statement = insert(promises)
    latest = {
        it: func.greatest(promises.c[it], statement.excluded[it])
        for it in ("met_at", "breached_at", "retracted_at")
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["clock_id"], set_=latest),
        [it._asdict() for it in facts],
    )
