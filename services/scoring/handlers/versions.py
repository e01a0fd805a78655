"""Leads that were computed by another version of the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring.domain.lead import Lead, rebuild, under_policy
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import ledger
from shared.agreement.store import Policies


def leads_under(
    session: Session,
    leads: Mapping[UUID, Lead],
    policy: ScoringPolicy,
    policies: Policies[ScoringPolicy],
    now: datetime,
) -> dict[UUID, Lead]:
    """The leads under this policy. Leads of a version that counts otherwise are counted again from all their events."""
    versions = {lead.version for lead in leads.values()} - {policy.version}
    if not versions:
        return dict(leads)
    before = {version: policies.version(session, version) for version in versions}
    counting_alike = {it for it in versions if policy.counts_like(before[it])}
    to_count = [it.id for it in leads.values() if it.version in versions - counting_alike]
    events = ledger.events_of(session, to_count) if to_count else {}
    counted = {it: rebuild(leads[it], events[it], policy, now=now) for it in to_count}
    kept = {
        it.id: under_policy(it, before[it.version], policy)
        for it in leads.values()
        if it.version in counting_alike
    }
    return {**leads, **counted, **kept}
