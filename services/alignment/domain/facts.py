"""What is known of one handoff: facts of its qualification, and facts of what sales did with it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

MAX_NAME = 200
"""The characters of a name of a campaign, a source or a reason that are kept."""


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


def first_of(sources: tuple[str, ...]) -> str | None:
    """The first source by name, or None where there is none."""
    return shortened(min(sources, default=None))


def shortened(name: str | None) -> str | None:
    """The first characters of the name; None where it is empty."""
    return name[:MAX_NAME] if name else None
