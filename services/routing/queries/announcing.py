"""Steps of handoffs: kept, and announced in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from sqlalchemy.orm import Session

from services.routing.domain.handoff import Step
from services.routing.queries import changes, handoffs
from shared.contracts.topic import Outgoing
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.messaging import outbox
from shared.process.tracing import child_of

SOURCE = "leadbaton/routing"


def record(session: Session, steps: Sequence[Step], *, new: bool = False) -> None:
    """Keep the steps and announce each one, in this transaction; a `new` handoff as its last step leaves it."""
    with recording(session, steps, new=new):
        pass


@contextmanager
def recording(session: Session, steps: Sequence[Step], *, new: bool) -> Iterator[None]:
    """The same; in the block, which may not use the session, there is time while PostgreSQL takes in new handoffs."""
    if not steps:
        yield
        return
    last = list({it.handoff.id: it.handoff for it in steps}.values())
    if not new:
        handoffs.save_handoffs(session, last)
    with handoffs.adding_handoffs(session, last) if new else nullcontext():
        announced = list(map(_announced, steps))
        yield
    outbox.append(session, announced)
    changes.add_changes(session, steps)


def _announced(it: Step) -> Outgoing:
    handoff = str(it.handoff.id)
    return HANDOFFS_CHANGED.record(
        it.payload(),
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
