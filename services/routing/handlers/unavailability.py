"""Steps of ladders that set reps unavailable: they get no leads for some time, as if ops had recorded an absence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain.escalations import Escalation, StepOutcome
from services.routing.handlers.absences import record_absence
from services.routing.queries import absences, escalations, handoffs, reps, teams


def set_unavailable(session: Session, steps: Sequence[Escalation], *, now: datetime) -> None:
    """Record the absence of each rep who has not answered; what is being answered at this moment is left for later.

    All teams are locked before the handoffs, as a roster holds the reps of all.
    """
    teams.lock_teams(session, reps.teams_with_reps(session))
    ids = {it.handoff_id for it in steps}
    held = handoffs.claim_held(session, ids)
    answered = handoffs.held_among(session, ids - held.keys())
    hops = escalations.hops_taken(session, ids)

    outcomes: dict[str, StepOutcome] = {}
    for step in steps:
        if step.handoff_id in answered:
            continue
        is_taken = (step.handoff_id, step.hop) in hops
        obstacle = step.keeps_rep(held.get(step.handoff_id), is_taken=is_taken)
        outcomes[step.id] = obstacle or _record(session, step, now=now)

    escalations.save_outcomes(session, outcomes, now=now)
    for outcome in outcomes.values():
        metrics.ESCALATIONS.labels("set_unavailable", outcome).inc()


def _record(session: Session, step: Escalation, *, now: datetime) -> StepOutcome:
    """Record the absence, unless there is another that is not over, or no such rep any more."""
    if not reps.reps_by_id(session, [step.rep]):
        return StepOutcome.MOVED_ON
    recorded = absences.absences_by_rep(session, [step.rep]).get(step.rep)
    if recorded is not None and recorded.absence.until > now:
        return StepOutcome.ALREADY_AWAY
    record_absence(session, step.rep, step.absence(now=now), now=now)
    return StepOutcome.UNAVAILABLE
