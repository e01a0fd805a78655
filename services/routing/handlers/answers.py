"""A rep's answer: it is checked, saved and announced, and a freed rep gets a waiting handoff at once."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.domain.answers import Actor, Answer, steps_of_answer
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.notifications import ASSIGNED
from services.routing.handlers.assignment import Assigner, assign_in_team, queue_of
from services.routing.queries import changes, deliveries, handoffs, reps, teams
from shared.errors import Rejected
from shared.messaging import outbox


class UnknownHandoff(Rejected):
    """There is no such handoff."""

    code: ClassVar[str] = "unknown_handoff"
    status: ClassVar[int] = 404


def on_answer(
    session: Session, id: UUID, answer: Answer, *, actor: Actor, assigner: Assigner, now: datetime
) -> None:
    """Save the answer, if it is a new one. A rejected handoff is assigned again in the same transaction."""
    handoff = handoffs.locked_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    policy = assigner.policies.version(session, handoff.agreement_version)
    past = changes.past_steps(session, id)

    steps = steps_of_answer(handoff, answer, actor=actor, past=past, policy=policy, now=now)
    if not steps:
        return

    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    outbox.append(session, announcements.handoffs_changed(steps))
    metrics.ANSWERS.labels(answer.change.value).inc()
    after = steps[-1].handoff
    if not after.state.held:
        _free_rep(session, handoff, after, assigner=assigner, now=now)


def _free_rep(
    session: Session, before: Handoff, after: Handoff, *, assigner: Assigner, now: datetime
) -> None:
    """Assign waiting handoffs, as the rep has room for another; a rejected handoff may go to other reps.

    A rejected handoff does not count in the rep's share, and pending deliveries of its assignment are cancelled.
    """
    teams.lock_teams(session, [before.team])
    reps.release(session, before.rep)
    if after.rep is None:
        reps.give_back(session, before.id, before.hop)
        deliveries.cancel_deliveries(session, [before.id], type=ASSIGNED, now=now)
    waiting = [after] if after.state is State.WAITING else []
    queue = queue_of(session, waiting, assigner=assigner, announces_wait=True)
    assign_in_team(session, before.team, queue, assigner=assigner, now=now)
