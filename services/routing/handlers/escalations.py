"""Steps of ladders that take handoffs from reps: the worker carries them out, an answer that comes first wins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.domain.escalations import (
    Action,
    Escalation,
    Plan,
    StepOutcome,
    Terms,
    first_of_each_handoff,
    reassigning_policy,
)
from services.routing.domain.handoff import RETURNED_TO_POOL, SYSTEM, Handoff, pool_step
from services.routing.domain.promises import Notice, Recipient
from services.routing.handlers.assignment import Assigner, lock_teams_of
from services.routing.handlers.promises import notify
from services.routing.handlers.reassignment import reassign_held
from services.routing.handlers.unavailability import set_unavailable
from services.routing.handlers.withdrawals import notify_withdrawals, take_from_reps
from services.routing.queries import changes, escalations, handoffs, merges, teams
from shared.messaging import outbox

ESCALATED_AT_ONCE = 200
"""Steps that one transaction carries out, so that a team's other leads do not wait long."""


def advance_escalations(session: Session, *, assigner: Assigner, now: datetime) -> int:
    """Carry out the steps that are pending, some of them at a time; returns how many there were.

    A handoff that is being answered at this moment is left for the next part: the teams are locked before the handoffs,
    so this may wait for no answer.
    """
    merges.share_lock(session)
    _add_steps_of_reps_away(session, assigner=assigner, now=now)
    pending = escalations.claim_pending(session, limit=ESCALATED_AT_ONCE)
    if unavailable := [it for it in pending if it.step is Action.SET_UNAVAILABLE]:
        set_unavailable(session, unavailable, now=now)
    else:
        _take_from_reps(session, first_of_each_handoff(pending), assigner=assigner, now=now)
    return len(pending)


def _take_from_reps(
    session: Session, steps: Sequence[Escalation], *, assigner: Assigner, now: datetime
) -> None:
    """Carry out these steps, each of another handoff."""
    planned = handoffs.handoffs_by_id(session, [it.handoff_id for it in steps]) if steps else {}
    open_steps = [it for it in steps if it.obstacle(planned.get(it.handoff_id)) is None]
    lock_teams_of(session, [planned[it.handoff_id] for it in open_steps], assigner=assigner)
    ids = [it.handoff_id for it in open_steps]
    held = handoffs.claim_held(session, ids) if ids else {}
    answered = handoffs.held_among(session, set(ids) - held.keys())

    plan = Plan()
    for step in steps:
        if step.handoff_id not in answered:
            handoff = (
                held.get(step.handoff_id) if step in open_steps else planned.get(step.handoff_id)
            )
            plan.add(step, handoff, max_hops=_max_hops(session, handoff, assigner))

    for command, reassigned in plan.reassigned.items():
        reassign_held(session, reassigned, command=command, assigner=assigner, now=now)
    _return_to_pool(session, plan.pooled, assigner=assigner, now=now)
    _save(session, steps, plan, assigner=assigner, now=now)


def _add_steps_of_reps_away(session: Session, *, assigner: Assigner, now: datetime) -> None:
    """A ladder takes at once what a rep on time off has not accepted, and does not wait for the breach."""
    policy_of: dict[Terms, str] = {}
    max_hops: dict[Terms, int] = {}
    for terms in escalations.terms_while_away(session, now=now):
        agreement = assigner.policies.version(session, terms.agreement_version).agreement
        policy = reassigning_policy(agreement, terms)
        if policy is not None:
            policy_of[terms], max_hops[terms] = policy, agreement.sla.max_hops
    if policy_of:
        kept = escalations.kept_while_away(session, max_hops, now=now, limit=ESCALATED_AT_ONCE)
        steps = [Escalation.of_rep_away(it, policy_of[it.terms], now=now) for it in kept]
        escalations.add_escalations(session, steps)


def _max_hops(session: Session, handoff: Handoff | None, assigner: Assigner) -> int:
    if handoff is None:
        return 0
    policy = assigner.policies.version(session, handoff.agreement_version)
    return policy.agreement.sla.max_hops


def _return_to_pool(
    session: Session, held: Sequence[Handoff], *, assigner: Assigner, now: datetime
) -> None:
    """Take the handoffs from their reps; they wait until ops assign them."""
    if not held:
        return
    steps = [pool_step(it, now=now) for it in held]

    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    take_from_reps(session, held, now=now)
    outbox.append(session, announcements.handoffs_changed(steps))
    notify_withdrawals(
        session,
        held,
        reason=RETURNED_TO_POOL,
        actor=SYSTEM,
        public_url=assigner.public_url,
        now=now,
    )


def _save(
    session: Session,
    steps: Collection[Escalation],
    plan: Plan,
    *,
    assigner: Assigner,
    now: datetime,
) -> None:
    """Save what came of the steps, and notify the leads of teams of handoffs that nobody has now."""
    if not plan.outcomes:
        return
    after = handoffs.handoffs_by_id(session, [it.id for it in plan.moved]) if plan.moved else {}
    pooled = {it.id for it in plan.pooled}
    waiting = {it.id for it in plan.moved if after[it.id].rep is None} - pooled
    outcomes = plan.outcomes | {
        it.id: StepOutcome.WAITING for it in steps if it.handoff_id in waiting
    }
    policy = assigner.policies.current(session)
    notices = [
        Notice(
            it.clock,
            f"{it.id}/{outcomes[it.id]}",
            Recipient.LEAD,
            policy.teams.get(it.clock.team),
            outcomes[it.id],
        )
        for it in steps
        if it.id in outcomes and outcomes[it.id].concerns_lead and it.clock is not None
    ]

    escalations.save_outcomes(session, outcomes, now=now)
    notify(session, notices, assigner=assigner, now=now)
    # the reps may have room for leads that wait
    teams.review_teams(session, {it.team for it in plan.moved}, at=now)
    for step in steps:
        if step.id in outcomes:
            metrics.ESCALATIONS.labels(step.step, outcomes[step.id]).inc()
