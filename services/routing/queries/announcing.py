"""Steps of handoffs: kept, and announced in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy.orm import Session

from services.routing.domain.handoff import Step
from services.routing.queries import handoffs
from shared.contracts.topic import Outgoing
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db import outbox
from shared.tracing import child_of

SOURCE = "leadbaton/routing"


def record(session: Session, steps: Sequence[Step], *, new: bool = False) -> None:
    """Keep the steps and announce each one, in this transaction; a `new` handoff as its last step leaves it."""
    if not steps:
        return
    last = list({it.handoff.id: it.handoff for it in steps}.values())
    if new:
        handoffs.add_handoffs(session, last)
    else:
        handoffs.save_handoffs(session, last)
    announced: list[Outgoing] = []
    outbox.append(session, _announcements(steps, announced))
    handoffs.add_changes(session, zip(steps, (it.value for it in announced), strict=True))


def _announcements(steps: Iterable[Step], made: list[Outgoing]) -> Iterator[Outgoing]:
    """Made one after the other, while PostgreSQL takes in those before; and kept in `made`."""
    for it in steps:
        made.append(_announced(it))
        yield made[-1]


def _announced(it: Step) -> Outgoing:
    handoff = str(it.handoff.id)
    return HANDOFFS_CHANGED.record(
        it.written(),
        key=handoff,
        id=it.id,
        source=SOURCE,
        at=it.recorded_at,
        traceparent=child_of(
            it.handoff.traceparent,
            f"handoff {it.change}",
            since=it.recorded_at,
            facts={"leadbaton.handoff": handoff},
        ),
    )
