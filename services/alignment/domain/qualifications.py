"""What scoring announced of one qualification of a lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from services.alignment.domain.facts import first_of, shortened
from shared.contracts.campaigns import campaign_name
from shared.contracts.payloads import LeadQualified
from shared.values import Value

MAX_TRAITS = 500
"""The names of traits that are kept; an agreement declares no more."""
MISSING: tuple[Value, ...] = (None, "", [], {})
"""Values of traits that say nothing."""


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a handoff that scoring announces."""

    lead_id: UUID
    qualification: int
    qualified_at: datetime
    agreement_version: int
    tier: str | None
    source: str | None
    first_campaign: str | None
    campaign: str | None
    persona: str | None
    fit: float
    engagement: float
    traits: tuple[str, ...] | None
    triggered_at: datetime
    is_announced: bool = True


def qualification_of(lead: LeadQualified) -> Qualification:
    """The facts that this message announces."""
    context = lead.context
    campaigns = (context.first_campaign, context.last_campaign)
    first, last = (shortened(campaign_name(it)) for it in campaigns)
    return Qualification(
        lead_id=lead.lead_id,
        qualification=lead.qualification,
        qualified_at=lead.at,
        agreement_version=lead.agreement_version,
        tier=shortened(lead.tier),
        source=first_of(context.sources),
        first_campaign=first,
        campaign=last or first,
        persona=shortened(context.persona),
        fit=lead.scores.fit,
        engagement=lead.scores.engagement,
        traits=None if lead.traits is None else names_of(lead.traits),
        triggered_at=_triggered_at(lead),
    )


def names_of(traits: Mapping[str, Value]) -> tuple[str, ...]:
    """The names of the traits that have a value, in their order, at most MAX_TRAITS; never the values."""
    return tuple(
        sorted(name for name, value in traits.items() if value not in MISSING and name)[:MAX_TRAITS]
    )


def _triggered_at(lead: LeadQualified) -> datetime:
    """When the event happened that qualified the lead; where only time has passed, the qualification itself."""
    event = lead.context.why_now
    return lead.at if event is None else min(event.time, lead.at)
