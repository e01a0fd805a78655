"""Leads that a rep has disqualified, and that ops let qualify again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring.domain.known import count_announcement
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import judge, reopened
from services.scoring.handlers.crossings import announce_crossings
from services.scoring.handlers.known import announce_known
from services.scoring.handlers.reading import UnknownLead
from services.scoring.handlers.versions import leads_under
from services.scoring.queries import leads
from shared.agreement.store import Policies


def reopen_lead(
    session: Session,
    lead_id: UUID,
    *,
    actor: str,
    policies: Policies[ScoringPolicy],
    now: datetime,
) -> None:
    """Let the lead qualify again, at once if it has raised its hand meanwhile; raises UnknownLead.

    A lead that no rep has disqualified stays as it is.
    """
    surviving_ids = leads.surviving_leads(session, [lead_id]).values()
    stored = leads.locked_leads(session, set(surviving_ids))
    if not stored:
        raise UnknownLead(f"the id {lead_id}")
    policy = policies.current(session)
    [lead] = leads_under(session, stored, policy, policies, now).values()
    if lead.disqualified_at is None:
        return

    verdict = count_announcement(judge(reopened(lead), (), policy, now=now), stored[lead.id])

    leads.save_leads(session, [verdict.lead])
    leads.add_steps(session, [it._replace(cause=f"reopened:{actor}") for it in verdict.steps])
    announce_known(session, [verdict.lead], stored, policy, now=now)
    announce_crossings(session, [verdict], policy)
