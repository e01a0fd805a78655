"""The payload of each topic. Fields are added; they are never removed and never change their meaning."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded
from shared.values import Value

Facts = dict[str, Value]
"""Values under names that the sender has chosen."""


class Identity(Payload, frozen=True, kw_only=True, gc=False):
    """Identifiers of a person: e-mail in lower case, phone in E.164, user and anonymous id of one source."""

    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None


class EventKind(StrEnum):
    """What an event does to its lead."""

    TRACK = "track"
    IDENTIFY = "identify"
    ALIAS = "alias"


class MarketingEvent(Payload, frozen=True, kw_only=True):
    """One thing that a person did, as a marketing platform reports it."""

    source: Annotated[str, Meta(description="The source that the ingest key belongs to.")]
    id: Annotated[
        str,
        Meta(
            description="The sender's id. An event with the same source and id is the same event."
        ),
    ]
    kind: EventKind = always_encoded(EventKind.TRACK)
    type: Annotated[str, Meta(description="The type of the event: page_viewed, demo_requested, …")]
    time: Annotated[Instant, Meta(description="When it happened; never after received_at.")]
    received_at: Instant
    identity: Identity
    previous: Annotated[
        Identity | None, Meta(description="Of an alias: the identity that is joined to this one.")
    ] = None
    traits: Facts = always_encoded({})
    properties: Facts = always_encoded({})
    context: Facts = always_encoded({})
    marks: Annotated[tuple[str, ...], Meta(description="bot, clock_ahead, number_as_text, …")] = (
        always_encoded(())
    )


class Reason(Payload, frozen=True, kw_only=True, gc=False):
    """One rule that gave or took points."""

    rule: str
    label: str
    points: float


class Scores(Payload, frozen=True, kw_only=True, gc=False):
    """The numbers of a lead at one instant."""

    fit: Annotated[float, Meta(description="Points for who the lead is, 0 to 100.")]
    engagement: Annotated[
        float, Meta(description="Points for what the lead does, 0 to 100, faded to the instant.")
    ]
    likelihood: Annotated[float | None, Meta(description="0 to 1, learned from outcomes.")] = None
    grade: Annotated[str, Meta(description="A to D of fit with 1 to 4 of engagement, such as B2.")]


class Touch(Payload, frozen=True, kw_only=True):
    """One event that is worth reading for the rep."""

    id: str
    type: str
    time: Instant
    title: str | None = None
    url: str | None = None
    properties: Facts = always_encoded({})


class LeadContext(Payload, frozen=True, kw_only=True):
    """The context of a lead for the rep; at most 16 KB as JSON."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    account: Annotated[str | None, Meta(description="The company's registrable domain.")] = None
    persona: Annotated[str | None, Meta(description="By the agreement.")] = None
    traits: Facts = always_encoded({})
    why_now: Annotated[Touch | None, Meta(description="The event that qualified the lead.")] = None
    reasons: Annotated[tuple[Reason, ...], Meta(description="Top reasons, most points first.")] = (
        always_encoded(())
    )
    recent: Annotated[tuple[Touch, ...], Meta(description="The last events worth reading.")] = (
        always_encoded(())
    )
    first_campaign: dict[str, str] = always_encoded({})
    last_campaign: dict[str, str] = always_encoded({})
    sources: tuple[str, ...] = always_encoded(())


class Qualified(StrEnum):
    """Whether the lead became qualified or ceased to be."""

    BECAME = "became"
    CEASED = "ceased"


class LeadQualified(Payload, frozen=True, kw_only=True):
    """A lead became, or ceased to be, qualified."""

    lead_id: UUID
    qualification: Annotated[
        int,
        Meta(ge=1, description="Counts a lead's qualifications from 1; with the lead's id, a key."),
    ]
    change: Qualified
    at: Instant
    tier: str
    cause: Annotated[
        str, Meta(description="hand_raise, threshold, required_trait, decayed, suppressed …")
    ]
    scores: Scores
    agreement_version: int
    context: LeadContext
    traits: Annotated[
        Facts | None,
        Meta(description="Every trait that the agreement declares, complete, with its type."),
    ] = None
    hand_raised: Annotated[
        bool | None, Meta(description="Whether the lead raised a hand, whatever the cause is.")
    ] = None


class LeadsMerged(Payload, frozen=True, kw_only=True, gc=False):
    """Two leads turned out to be one person: one stays, and everything of the other belongs to it now."""

    lead_id: Annotated[UUID, Meta(description="The lead that stays.")]
    merged_lead_id: Annotated[UUID, Meta(description="The lead that is merged into it.")]
    at: Instant
    qualifications: Annotated[
        int,
        Meta(ge=0, description="How often the merged lead had qualified; at 0 it has no handoff."),
    ]


class Change(StrEnum):
    """The kinds of changes of a handoff."""

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


class HandoffChanged(Payload, frozen=True, kw_only=True):
    """One change of a handoff."""

    handoff_id: UUID
    lead_id: UUID
    qualification: int
    sequence: Annotated[
        int,
        Meta(
            ge=1,
            description="Counts a handoff's changes, so that readers see which ones are outdated.",
        ),
    ]
    change: Change
    occurred_at: Annotated[Instant, Meta(description="When it happened.")]
    recorded_at: Annotated[Instant, Meta(description="When Leadbaton learned of it.")]
    hop: Annotated[int, Meta(ge=0, description="Counts assignments; 0 before the first one.")]
    team: str
    rep: Annotated[
        str | None, Meta(description="The rep who holds the handoff after the change.")
    ] = None
    calendar: Annotated[
        str | None, Meta(description="The calendar of that rep; absent: the team's.")
    ] = None
    tier: str
    qualified_at: Instant
    assigned_at: Annotated[Instant | None, Meta(description="When this hop was assigned.")] = None
    agreement_version: int
    sources: tuple[str, ...] = always_encoded(())
    campaign: str | None = None
    reason: str | None = None
    recycle: Annotated[
        bool, Meta(description="Whether the lead returns to marketing and may qualify again.")
    ] = always_encoded(default=False)
    outcome: Annotated[str | None, Meta(description="Of a contact: reached, no_answer, …")] = None
    channel: str | None = None
    amount: float | None = None
    currency: str | None = None
    lead_name: Annotated[
        str | None, Meta(description="The lead's name, for lists that people read.")
    ] = None
    actor: Annotated[
        str | None,
        Meta(description="rep/ID or ops/NAME; absent where it follows from the agreement."),
    ] = None
    attempt: Annotated[
        bool | None,
        Meta(description="Of a contact: whether its outcome counts as an attempt; absent: true."),
    ] = None
    touch: Annotated[
        bool | None,
        Meta(description="Of a contact: whether its outcome counts as a touch; absent: true."),
    ] = None
    reached: Annotated[
        bool | None,
        Meta(description="Of a contact: whether the person was reached; absent: false."),
    ] = None
    resumes_at: Annotated[
        Instant | None,
        Meta(description="Of a pause: when it is over by itself, unless it is resumed before."),
    ] = None
    then: Annotated[
        str | None,
        Meta(description="Of a rejection: reassign, recycle or disqualify, by its reason."),
    ] = None


class ClockChange(StrEnum):
    """The kinds of changes of a clock."""

    STARTED = "started"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    RETRACTED = "retracted"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Scope(StrEnum):
    """A clock of a hop starts anew with each assignment; a clock of a journey runs once."""

    HOP = "hop"
    JOURNEY = "journey"


class SlaChanged(Payload, frozen=True, kw_only=True):
    """One change of a clock."""

    clock_id: UUID
    handoff_id: UUID
    lead_id: UUID
    hop: int
    policy: str
    kind: Annotated[str, Meta(description="accept, first_touch, …")]
    scope: Scope
    change: ClockChange
    occurred_at: Annotated[
        Instant, Meta(description="When it happened; of a breach, when the clock was due.")
    ]
    detected_at: Instant
    due_at: Instant
    team: str
    rep: str | None = None
    tier: str
    agreement_version: int
    step: Annotated[
        str | None,
        Meta(
            description="Of an escalation: who is notified, before the breach or after it: rep, lead, team or ops; or "
            "what is done: reassign, return_to_pool, set_unavailable. Of a breach: team, if the ladder notifies "
            "it at once, else none; absent in messages of older versions, which notified the team of every breach."
        ),
    ] = None
    waits: Annotated[
        bool, Meta(description="Of an escalation: whether it waits for its receiver's hours.")
    ] = always_encoded(default=False)
    lasts_s: Annotated[int | None, Meta(description="Of set_unavailable: how long it lasts.")] = (
        None
    )
    actor: Annotated[str | None, Meta(description="Of an acknowledgement: ops/NAME.")] = None
    note: Annotated[str | None, Meta(description="Of an acknowledgement: what they noted.")] = None
