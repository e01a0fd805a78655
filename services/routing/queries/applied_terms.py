"""What ops applied to the promises of handoffs, as the SLA monitor has announced it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.applied_terms import AppliedTerms
from services.routing.tables import applied_terms


def add_applied_terms(session: Session, new: Sequence[tuple[UUID, AppliedTerms]]) -> None:
    """Insert what was applied to these handoffs; what is known already is left out."""
    rows = [
        {
            "handoff_id": handoff_id,
            "agreement_version": terms.version,
            "ended_policy": terms.ended_policy or "",
            "applied_at": terms.applied_at,
        }
        for handoff_id, terms in new
    ]
    if rows:
        session.execute(insert(applied_terms).on_conflict_do_nothing(), rows)


def terms_applied_to(
    session: Session, handoff_ids: Collection[UUID]
) -> dict[UUID, list[AppliedTerms]]:
    """What was applied to these handoffs, in the order of time; handoffs without any are absent."""
    if not handoff_ids:
        return {}
    statement = (
        select(*applied_terms.c)
        .where(applied_terms.c.handoff_id == any_(literal(list(handoff_ids), ARRAY(Uuid))))
        .order_by(applied_terms.c.applied_at, applied_terms.c.agreement_version)
    )
    applied: dict[UUID, list[AppliedTerms]] = {}
    for row in session.execute(statement):
        terms = AppliedTerms(row.applied_at, row.agreement_version, row.ended_policy or None)
        applied.setdefault(row.handoff_id, []).append(terms)
    return applied
