"""Assignments of which reps are notified, each with what decides when its promises are due."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.routing.domain.applied_terms import PromisedHandoff
from services.routing.domain.handoff import Step
from services.routing.domain.notifications import rep_endpoint
from services.routing.queries import changes, endpoints
from services.routing.queries.applied_terms import terms_applied_to


def announced_assignments(session: Session, steps: Sequence[Step]) -> list[PromisedHandoff]:
    """The handoffs that these new steps assign to reps with endpoints.

    Those that have come from another rep, or have waited, have their earlier steps and what ops applied to them: these
    may have begun, paused or moved promises. Of others, nothing has happened yet.
    """
    endpoint_of = {it.handoff.id: rep_endpoint(it.handoff.rep) for it in steps if it.handoff.rep}
    known = endpoints.known_endpoints(session, set(endpoint_of.values()))
    assigned = [it for it in steps if endpoint_of.get(it.handoff.id) in known]
    older = [it.handoff.id for it in assigned if it.handoff.sequence > 1]
    earlier, applied = changes.steps_of_handoffs(session, older), terms_applied_to(session, older)
    return [
        PromisedHandoff.after(it, earlier.get(it.handoff.id, ()), applied.get(it.handoff.id, ()))
        for it in assigned
    ]
