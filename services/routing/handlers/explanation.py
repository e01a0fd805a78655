"""Why a lead went where it went: each decision with every rep as it saw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.routing.domain.assignment.eligibility import Case
from services.routing.domain.assignment.records import candidates
from services.routing.domain.assignment.selection import Candidate
from services.routing.domain.handoff import Handoff
from services.routing.handlers.assigner import (
    Assigner,
)
from services.routing.queries import allocations


def explained(
    session: Session, handoff: Handoff, *, assigner: Assigner
) -> Iterator[dict[str, Any]]:
    """The handoff's decisions, one for each hop, in order."""
    earlier_reps: set[str] = set()
    for row in allocations.decisions_of(session, handoff.id):
        told = _worked_out(session, handoff, row, frozenset(earlier_reps), assigner)
        yield {"hop": row.hop, **told}
        earlier_reps |= {row.rep} - {None}


def _worked_out(
    session: Session,
    handoff: Handoff,
    row: Row[Any],
    earlier_reps: frozenset[str],
    assigner: Assigner,
) -> dict[str, Any]:
    """The decision again, from the lead as it came, the agreement and the round, by what decided then."""
    allocation = assigner.allocation_records.allocation_of(session, row.allocation_id)
    published = assigner.policies.version(session, row.agreement_version)
    counted = assigner.policies.version(session, allocation.agreement_version)
    _, facts, verdicts = published.match(handoff.lead)
    rule = next(it for it in published.agreement.routing.rules if it.id == row.rule)
    policy, case = (
        counted.teams[allocation.team],
        Case(rule, facts, earlier_reps, row.previous_rep),
    )
    return {
        "decided_at": allocation.decided_at,
        "waited_s": round((allocation.decided_at - handoff.qualified_at).total_seconds(), 3),
        "agreement_version": row.agreement_version,
        "facts": facts,
        "rules": list(map(asdict, verdicts)),
        "rule": row.rule,
        "team": allocation.team,
        "period": policy.period_of(allocation.decided_at),
        "previous_rep": row.previous_rep,
        "picked": row.rep,
        "strategy": row.strategy,
        "position": row.position,
        "candidates": [
            _told(it) for it in candidates(allocation, case, place=row.position, policy=policy)
        ],
    }


def _told(it: Candidate) -> dict[str, Any]:
    excluded = [
        {
            "reason": one.reason.value,
            "detail": one.detail,
            "until": one.until.isoformat() if one.until else None,
        }
        for one in it.excluded
    ]
    return {**asdict(it), "excluded": excluded}
