"""Leads that were computed by another version of the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring.domain.lead import Lead, rebuild
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import ledger


def leads_under(
    session: Session, leads: Mapping[UUID, Lead], policy: ScoringPolicy, now: datetime
) -> dict[UUID, Lead]:
    """The leads under this policy; those of another version are computed again from all of their events."""
    outdated = [lead.id for lead in leads.values() if lead.version != policy.version]
    if not outdated:
        return dict(leads)
    events = ledger.events_of(session, outdated)
    rebuilt = {it: rebuild(leads[it], events[it], policy, now=now) for it in outdated}
    return {**leads, **rebuilt}
