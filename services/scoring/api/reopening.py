"""The route with which ops let a lead qualify again that a rep has disqualified."""

from __future__ import annotations

from fastapi import APIRouter

from services.scoring.api.leads import REFUSALS, LeadId, LeadOut
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers.reading import visible_lead
from services.scoring.handlers.reopening import reopen_lead
from shared.agreement.store import Policies
from shared.http.dependencies import Now, Ops, Tx


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post("/{lead_id}/reopen", responses=REFUSALS)
    def reopen(lead_id: LeadId, session: Tx, now: Now, caller: Ops) -> LeadOut:
        """Let a lead qualify again that a rep has disqualified; at once, if it has raised its hand meanwhile.

        A lead that is not disqualified stays as it is.
        """
        actor = f"ops/{caller.subject}"
        reopen_lead(session, lead_id, actor=actor, policies=policies, now=now)
        lead = visible_lead(
            session, lead_id, caller, policies=policies, now=now, description=f"the id {lead_id}"
        )
        return LeadOut.of(lead, now)

    return routes
