"""A rep's answer: it is checked, saved and announced, and a freed rep gets a waiting handoff at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.domain.answers import Actor, Answer, steps_of_answer
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.history import NO_HISTORY
from services.routing.domain.reassignment import BY_OPS
from services.routing.domain.satisfaction import satisfaction_outcomes
from services.routing.domain.terms import with_terms
from services.routing.handlers.applied_terms import agreement_after_win
from services.routing.handlers.assignment import (
    Assigner,
    assign_in_team,
    lock_teams_of,
    queue_of,
)
from services.routing.handlers.withdrawals import notify_withdrawals, take_from_reps
from services.routing.queries import changes, deliveries, handoffs, merges, reps
from services.routing.queries.known_leads import known_leads
from shared.contracts.payloads import Change
from shared.errors import Rejected
from shared.messaging import outbox


class UnknownHandoff(Rejected):
    """There is no such handoff."""

    code: ClassVar[str] = "unknown_handoff"
    status: ClassVar[int] = 404


def on_answer(
    session: Session, id: UUID, answer: Answer, *, actor: Actor, assigner: Assigner, now: datetime
) -> None:
    """Save the answer, if it is a new one. A rejected handoff is assigned again in the same transaction.

    A rep for whom ops reject a handoff is notified that it is withdrawn.
    """
    merges.share_lock(session)
    handoff = handoffs.locked_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    past = changes.past_steps(session, id)
    answer = _in_zone_of_rep(session, answer, handoff, actor, assigner)
    cycles = _cycles(session, handoff) if answer.change is Change.REJECTED else 0
    agreement = agreement_after_win(session, handoff, assigner.policies)

    answer = with_terms(answer, agreement, cycles=cycles)
    outcomes = satisfaction_outcomes(handoff, agreement)
    steps = steps_of_answer(
        handoff, answer, actor=actor, past=past, now=now, outcomes_after_win=outcomes
    )
    if not steps:
        return

    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    outbox.append(session, announcements.handoffs_changed(steps))
    metrics.ANSWERS.labels(answer.change.value).inc()
    after = steps[-1].handoff
    if handoff.state.held and not after.state.held:
        _free_rep(session, handoff, after, assigner=assigner, now=now)
    if after.rep is None and actor.role == "ops":
        notify_withdrawals(
            session,
            [handoff],
            reason=answer.details.get("reason", BY_OPS),
            actor=actor.id,
            public_url=assigner.public_url,
            now=now,
        )


def _in_zone_of_rep(
    session: Session, answer: Answer, handoff: Handoff, actor: Actor, assigner: Assigner
) -> Answer:
    """The answer; a date in it is a day of the rep who answers, or for whom ops answer."""
    if answer.occurred_at is None or isinstance(answer.occurred_at, datetime):
        return answer
    rep_id = actor.name if actor.role == "rep" else handoff.rep
    matches = reps.reps_by_id(session, [] if rep_id is None else [rep_id])
    policy = assigner.policies.version(session, handoff.agreement_version)
    zone = policy.teams[handoff.team].zone_of(next(iter(matches), None))
    return replace(answer, zone=zone)


def _cycles(session: Session, handoff: Handoff) -> int:
    """How often the handoff's person was returned to marketing before."""
    known = known_leads(session, {handoff.lead_id})
    return known.histories().get(known.person(handoff.lead_id), NO_HISTORY).cycles


def _free_rep(
    session: Session, before: Handoff, after: Handoff, *, assigner: Assigner, now: datetime
) -> None:
    """Assign waiting handoffs, as the rep has room for another; a rejected handoff may go to other reps.

    A rejected handoff does not count in the rep's share, and pending deliveries of its assignment are cancelled. Of a
    closed one, messages that wait for hours are.
    """
    if after.closed_at is not None:
        deliveries.cancel_waiting(session, [after.id], now=now)
    lock_teams_of(session, [before], assigner=assigner)
    if after.rep is None:
        take_from_reps(session, [before], now=now)
    else:
        reps.release(session, before.rep)
    waiting = [after] if after.state is State.WAITING else []
    queue = queue_of(session, waiting, assigner=assigner, announces_wait=True)
    assign_in_team(session, before.team, queue, assigner=assigner, now=now)
