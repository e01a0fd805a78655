"""What each topic carries. Fields are added, never changed in meaning, never taken away."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.topic import Payload


class Identity(Payload):
    """Who did it, normalised: e-mail in lower case, phone in E.164; user and anonymous id per source."""

    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None


class EventKind(StrEnum):
    """What an event does to its lead."""

    TRACK = "track"
    IDENTIFY = "identify"
    ALIAS = "alias"


class MarketingEvent(Payload):
    """One thing that a person did, as a marketing platform told it."""

    source: str = Field(description="The source that the ingest key belongs to.")
    id: str = Field(
        description="The sender's id; with the source, what makes an event the same one."
    )
    kind: EventKind = EventKind.TRACK
    type: str = Field(description="What happened: page_viewed, demo_requested, …")
    time: AwareDatetime = Field(description="When it happened; never after received_at.")
    received_at: AwareDatetime
    identity: Identity
    previous: Identity | None = Field(
        default=None, description="Alias: the identity joined to this."
    )
    traits: dict[str, Any] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    context: dict[str, Any] = Field(default_factory=dict)
    marks: tuple[str, ...] = Field(default=(), description="bot, clock_ahead, number_as_text, …")


class Reason(Payload):
    """One rule that gave or took points."""

    rule: str
    label: str
    points: float


class Scores(Payload):
    """The numbers of a lead at one instant."""

    fit: float = Field(description="Who they are, 0 to 100.")
    engagement: float = Field(description="What they do, 0 to 100, decayed to the instant.")
    likelihood: float | None = Field(default=None, description="0 to 1, learned from outcomes.")
    grade: str = Field(description="A to D of fit with 1 to 4 of engagement, such as B2.")


class Touch(Payload):
    """One event worth reading, for the rep."""

    id: str
    type: str
    time: AwareDatetime
    title: str | None = None
    url: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)


class LeadContext(Payload):
    """What a rep gets with a lead; at most 16 KB as JSON."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    account: str | None = Field(default=None, description="The company's registrable domain.")
    traits: dict[str, Any] = Field(default_factory=dict)
    why_now: Touch | None = Field(default=None, description="The event that crossed the line.")
    reasons: tuple[Reason, ...] = Field(default=(), description="Top reasons, most points first.")
    recent: tuple[Touch, ...] = Field(default=(), description="The last events worth reading.")
    first_campaign: dict[str, str] = Field(default_factory=dict)
    last_campaign: dict[str, str] = Field(default_factory=dict)
    sources: tuple[str, ...] = ()


class Qualified(StrEnum):
    """Which way the lead crossed the line."""

    BECAME = "became"
    CEASED = "ceased"


class LeadQualified(Payload):
    """A lead became, or ceased to be, qualified."""

    lead_id: UUID
    qualification: int = Field(
        ge=1, description="Counts a lead's qualifications; with the lead, a natural key."
    )
    change: Qualified
    at: AwareDatetime
    tier: str
    cause: str = Field(description="hand_raise, threshold, required_trait, decayed, suppressed …")
    scores: Scores
    agreement_version: int
    context: LeadContext


class Change(StrEnum):
    """What happened to a handoff."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONTACTED = "contacted"
    PAUSED = "paused"
    RESUMED = "resumed"
    REASSIGNED = "reassigned"
    RETURNED = "returned"
    WON = "won"
    LOST = "lost"


class HandoffChanged(Payload):
    """A step in the life of a handoff."""

    handoff_id: UUID
    lead_id: UUID
    qualification: int
    sequence: int = Field(
        ge=1, description="Counts a handoff's changes, so that readers see what is stale."
    )
    change: Change
    occurred_at: AwareDatetime = Field(description="When it happened.")
    recorded_at: AwareDatetime = Field(description="When we learned of it.")
    hop: int = Field(ge=0, description="Counts assignees; 0 while nobody ever had it.")
    team: str
    rep: str | None = Field(default=None, description="Who holds it, after the change.")
    calendar: str | None = Field(
        default=None, description="The hours of the rep who holds it; absent: the team's."
    )
    tier: str
    qualified_at: AwareDatetime
    assigned_at: AwareDatetime | None = Field(default=None, description="Of this hop.")
    agreement_version: int
    sources: tuple[str, ...] = ()
    campaign: str | None = None
    reason: str | None = None
    recycle: bool = Field(default=False, description="Returned to marketing: may qualify again.")
    outcome: str | None = Field(default=None, description="Contacted: reached, no_answer, …")
    channel: str | None = None
    amount: float | None = None
    currency: str | None = None
    lead_name: str | None = Field(default=None, description="For people who read lists.")


class ClockChange(StrEnum):
    """What happened to a clock."""

    STARTED = "started"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    RETRACTED = "retracted"
    ESCALATED = "escalated"


class Scope(StrEnum):
    """A hop's clock starts anew at each assignee; a journey's never does."""

    HOP = "hop"
    JOURNEY = "journey"


class SlaChanged(Payload):
    """A step in the life of a clock."""

    clock_id: UUID
    handoff_id: UUID
    lead_id: UUID
    hop: int
    policy: str
    kind: str = Field(description="accept, first_touch, …")
    scope: Scope
    change: ClockChange
    occurred_at: AwareDatetime = Field(description="Of a breach: when it was due.")
    detected_at: AwareDatetime
    due_at: AwareDatetime
    team: str
    rep: str | None = None
    tier: str
    agreement_version: int
    step: str | None = Field(default=None, description="Escalated: what the ladder did.")


def instant_of(time: datetime) -> str:
    """The instant in RFC 3339, to the microsecond, for ids that derive from a cause."""
    return time.isoformat(timespec="microseconds")
