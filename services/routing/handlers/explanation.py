"""One handoff with its decisions, its steps and its deliveries: all of them, or what a rep may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain import visibility
from services.routing.domain.answers import NotYours, PastStep
from services.routing.domain.assignment.allocation import Allocation
from services.routing.domain.assignment.eligibility import MatchedLead
from services.routing.domain.assignment.nearest_change import (
    DecisionRecord,
    NearestChange,
    margin_of,
    nearest_changes,
)
from services.routing.domain.assignment.selection import Candidate, select_rep
from services.routing.domain.escalations import Escalation
from services.routing.domain.handoff import Handoff
from services.routing.domain.notifications import rep_endpoint
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.queue import Assignment
from services.routing.domain.satisfaction import satisfaction_outcomes
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.applied_terms import agreement_after_win
from services.routing.handlers.assignment import Assigner
from services.routing.queries import allocations, changes, delivery_lists, escalations, handoffs
from services.routing.queries.delivery_lists import Delivery
from shared.agreement.model import Routing

MAX_DELIVERIES = 500
"""How many of a handoff's deliveries are shown, the newest."""


@dataclass(frozen=True, slots=True)
class HandoffHistory:
    """A handoff with its steps, its decisions (one a hop), its deliveries, and the rules for answers to it."""

    handoff: Handoff
    steps: Sequence[PastStep]
    decisions: Sequence[dict[str, Any]]
    deliveries: Sequence[Delivery]
    escalations: Sequence[Escalation]
    routing: Routing
    """The section of the handoff's version of the agreement."""
    outcomes_after_win: Sequence[str] = ()
    """Of a won handoff: the outcomes of contacts that it takes still."""


def read_history(
    session: Session, id: UUID, *, rep: str | None, assigner: Assigner
) -> HandoffHistory:
    """The whole history, or what this `rep` may see of it: raises NotYours for a rep who never held the handoff."""
    handoff = handoffs.find_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    agreement = agreement_after_win(session, handoff, assigner.policies)
    history = HandoffHistory(
        handoff,
        changes.past_steps(session, id),
        list(explain(session, handoff, assigner=assigner)),
        delivery_lists.list_deliveries(
            session, delivery_lists.DeliveryFilter(handoff=id), limit=MAX_DELIVERIES
        ),
        escalations.escalations_of(session, id),
        agreement.routing,
        satisfaction_outcomes(handoff, agreement),
    )
    return history if rep is None else _visible_to(rep, history)


def _visible_to(rep: str, history: HandoffHistory) -> HandoffHistory:
    handoff = history.handoff
    steps = visibility.steps_for(rep, handoff, history.steps)
    if not steps:
        raise NotYours(f"handoff {handoff.id} is not with you")
    hop = handoff.hop if handoff.rep == rep else steps[-1].hop
    decisions = visibility.decisions_for(rep, history.decisions, hop=hop)
    return HandoffHistory(
        visibility.handoff_for(rep, handoff, steps, decisions),
        steps,
        decisions,
        [it for it in history.deliveries if it.endpoint == rep_endpoint(rep)],
        [it for it in history.escalations if it.rep == rep],
        history.routing,
        history.outcomes_after_win if handoff.rep == rep else (),
    )


def explain(session: Session, handoff: Handoff, *, assigner: Assigner) -> Iterator[dict[str, Any]]:
    """The handoff's decisions, one for each hop, in order; each with every candidate."""
    earlier_reps = frozenset[str]()
    for assignment in allocations.assignments_of(session, handoff.id):
        yield _decision(session, handoff, assignment, earlier_reps, assigner)
        if assignment.rep is not None:
            earlier_reps |= {assignment.rep}


def _decision(
    session: Session,
    handoff: Handoff,
    assignment: Assignment,
    earlier_reps: frozenset[str],
    assigner: Assigner,
) -> dict[str, Any]:
    """The decision, computed again from the lead as it was announced, the agreement and the allocation."""
    allocation = assigner.allocations.allocation(session, assignment.allocation_id)
    policy = assigner.policies.version(session, assignment.agreement_version)
    team = assigner.policies.version(session, allocation.agreement_version).teams[allocation.team]
    match = policy.match(handoff.lead)
    lead = MatchedLead(
        policy.rules[assignment.rule],
        match.facts,
        earlier_reps,
        assignment.previous_rep,
        frozenset(assignment.refused_by or ()),
        owner=assignment.owner,
    )
    return {
        "hop": assignment.hop,
        "decided_at": allocation.decided_at,
        "waited_s": round((allocation.decided_at - handoff.qualified_at).total_seconds(), 3),
        "agreement_version": assignment.agreement_version,
        "facts": match.facts,
        "rules": [asdict(it) for it in match.verdicts],
        "rule": assignment.rule,
        "team": allocation.team,
        "period": team.period_of(allocation.decided_at),
        "owner": assignment.owner,
        "previous_rep": assignment.previous_rep,
        "picked": assignment.rep,
        "strategy": assignment.strategy,
        "position": assignment.position,
        **_comparison(lead, allocation, assignment, team),
    }


def _comparison(
    lead: MatchedLead, allocation: Allocation, assignment: Assignment, team: TeamPolicy
) -> dict[str, Any]:
    """The candidates, each with its nearest change, and how far the picked one came before the next.

    A record that the present code reads differently says so, and has neither changes nor a margin.
    """
    loads = allocation.loads_before(assignment.position, policy=team)
    selection = select_rep(lead, loads, policy=team, now=allocation.decided_at)
    record = DecisionRecord(
        lead, loads, selection, assignment.rep, assignment.strategy, allocation.team
    )
    changes = nearest_changes(record) if record.reproduced else {}
    margin = margin_of(record) if record.reproduced else None
    return {
        "reproduced": record.reproduced,
        "margin": None if margin is None else asdict(margin),
        "candidates": [_candidate(it, changes.get(it.rep)) for it in record.selection.candidates],
    }


def _candidate(candidate: Candidate, change: NearestChange | None) -> dict[str, Any]:
    excluded = [
        {
            "reason": it.reason.value,
            "detail": it.detail,
            "until": it.until.isoformat() if it.until else None,
        }
        for it in candidate.excluded
    ]
    return {
        **asdict(candidate),
        "excluded": excluded,
        "nearest_change": None if change is None else asdict(change),
    }
