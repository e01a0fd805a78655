"""Steps of handoffs: kept, and announced in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.routing.domain.handoff import Step
from services.routing.queries import handoffs
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db import outbox
from shared.tracing import child_of

SOURCE = "leadbaton/routing"


def record(session: Session, steps: Sequence[Step]) -> None:
    """Keep the steps and announce each one, in this transaction."""
    handoffs.save_steps(session, steps)
    outbox.append(
        session,
        [
            HANDOFFS_CHANGED.encode(
                it.announcement(),
                id=it.id,
                source=SOURCE,
                at=it.recorded_at,
                traceparent=child_of(
                    it.handoff.traceparent,
                    f"handoff {it.change}",
                    since=it.recorded_at,
                    facts={"leadbaton.handoff": str(it.handoff.id)},
                ),
            )
            for it in steps
        ],
    )
