"""A rep's answer: checked, kept, announced; what it frees is given out at once."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain import notifications
from services.routing.domain.answers import Actor, Answer, answered
from services.routing.domain.handoff import Handoff, State
from services.routing.handlers.assigner import Assigner
from services.routing.handlers.assignment import place, queued
from services.routing.queries import changes, deliveries, handoffs, rep_loads
from services.routing.queries.announcing import record
from shared.errors import Rejected


class UnknownHandoff(Rejected):
    """There is no such handoff."""

    code: ClassVar[str] = "unknown_handoff"
    status: ClassVar[int] = 404


def answer(
    session: Session, id: UUID, said: Answer, *, actor: Actor, assigner: Assigner, now: datetime
) -> None:
    """Take the answer, once; a lead that is handed back goes to somebody else in the same breath."""
    handoff = handoffs.locked_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    past = changes.past_of(session, id)
    steps = answered(handoff, said, actor=actor, past=past, now=now)
    record(session, steps)
    if steps:
        metrics.ANSWERS.labels(said.change.value).inc()
        _free(session, handoff, steps[-1].handoff, assigner=assigner, now=now)


def _free(
    session: Session, before: Handoff, after: Handoff, *, assigner: Assigner, now: datetime
) -> None:
    """What the rep no longer holds makes room for who waits."""
    if after.state.held:
        return
    rep_loads.lock_teams(session, [before.team])
    rep_loads.release(session, before.rep)
    if after.rep is None:
        _take_back(session, before, now)
    back = [after] if after.state is State.WAITING else []
    fresh = queued(session, back, assigner=assigner, fresh=True)
    place(session, before.team, fresh, assigner=assigner, now=now)


def _take_back(session: Session, before: Handoff, now: datetime) -> None:
    """A lead that was handed back costs its rep no share, and is not told to them any more."""
    rep_loads.give_back(session, before.id, before.hop)
    deliveries.cancel_deliveries(session, [before.id], type=notifications.ASSIGNED, now=now)
