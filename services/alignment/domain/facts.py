"""What is known of one handoff: facts of its qualification, and facts of what sales did with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.alignment.domain.progress import Progress
from services.alignment.domain.touches import TouchHistory
from shared.contracts.campaigns import campaign_name
from shared.contracts.payloads import LeadQualified
from shared.values import Value

MAX_NAME = 200
"""The characters of a name of a campaign, a source or a reason that are kept."""
MAX_TRAITS = 500
"""The names of traits that are kept; an agreement declares no more."""
MISSING: tuple[Value, ...] = (None, "", [], {})
"""Values of traits that say nothing."""


class Key(NamedTuple):
    """A qualification of a lead, which has one handoff."""

    lead_id: UUID
    qualification: int


class HandoffFacts(NamedTuple):
    """The facts of one handoff. They are the same in whatever order their messages are read, and however often."""

    lead_id: UUID
    qualification: int
    handoff_id: UUID | None = None
    is_announced: bool = False
    """Whether scoring's announcement was read. Until then, what routing says of the lead stands in for it."""
    qualified_at: datetime | None = None
    agreement_version: int | None = None
    tier: str | None = None
    source: str | None = None
    first_campaign: str | None = None
    campaign: str | None = None
    channel: str | None = None
    persona: str | None = None
    fit: float | None = None
    engagement: float | None = None
    traits: tuple[str, ...] | None = None
    triggered_at: datetime | None = None
    team: str | None = None
    rep: str | None = None
    assigned_at: datetime | None = None
    accepted_at: datetime | None = None
    rejected_at: datetime | None = None
    rejection_reason: str | None = None
    contacted_at: datetime | None = None
    reached_at: datetime | None = None
    attempts: int = 0
    attempted_at: tuple[datetime, ...] = ()
    accepted_hop: int | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    loss_reason: str | None = None
    amount_cents: int | None = None
    currency: str | None = None

    @property
    def key(self) -> Key:
        """The qualification that the handoff belongs to."""
        return Key(self.lead_id, self.qualification)


def with_qualification(facts: HandoffFacts, lead: LeadQualified) -> HandoffFacts:
    """The facts with what scoring announced of the qualification."""
    context = lead.context
    campaigns = (context.first_campaign, context.last_campaign)
    first, last = (shortened(campaign_name(it)) for it in campaigns)
    return facts._replace(
        is_announced=True,
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


def with_progress(facts: HandoffFacts, progress: Progress) -> HandoffFacts:
    """The facts with what sales did, and with what routing says of the lead where scoring was not read yet."""
    last = progress.last
    after = facts._replace(
        handoff_id=last.handoff_id,
        team=shortened(last.team),
        rep=shortened(progress.rep),
        assigned_at=progress.assigned_at,
        accepted_at=progress.accepted_at,
        rejected_at=progress.rejected_at,
        rejection_reason=shortened(progress.rejection_reason),
        contacted_at=progress.contacted_at,
        reached_at=progress.reached_at,
        attempts=progress.attempts,
        attempted_at=progress.attempted_at,
        accepted_hop=progress.accepted_hop,
        closed_at=progress.closed_at,
        outcome=progress.outcome,
        loss_reason=shortened(progress.loss_reason),
        amount_cents=progress.amount_cents,
        currency=progress.currency,
    )
    if facts.is_announced:
        return after
    return after._replace(
        qualified_at=last.qualified_at,
        agreement_version=last.agreement_version,
        tier=shortened(last.tier),
        source=first_of(last.sources),
        campaign=shortened(last.campaign),
    )


def with_channel(facts: HandoffFacts, history: TouchHistory | None) -> HandoffFacts:
    """The facts with the channel by which the lead came, as far as its touches are known."""
    return facts._replace(channel=None if history is None else history.channel(facts.qualified_at))


def names_of(traits: Mapping[str, Value]) -> tuple[str, ...]:
    """The names of the traits that have a value, in their order, at most MAX_TRAITS; never the values."""
    return tuple(
        sorted(name for name, value in traits.items() if value not in MISSING and name)[:MAX_TRAITS]
    )


def _triggered_at(lead: LeadQualified) -> datetime:
    """When the event happened that qualified the lead; where only time has passed, the qualification itself."""
    event = lead.context.why_now
    return lead.at if event is None else min(event.time, lead.at)


def first_of(sources: tuple[str, ...]) -> str | None:
    """The first source by name, or None where there is none."""
    return shortened(min(sources, default=None))


def shortened(name: str | None) -> str | None:
    """The first characters of the name; None where it is empty."""
    return name[:MAX_NAME] if name else None
