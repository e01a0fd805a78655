"""Of the topics of leads: a lead qualified, or two leads were merged."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded
from shared.contracts.payloads.cards import LeadCard
from shared.contracts.payloads.values import Facts


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
    lead_card: Annotated[
        LeadCard | None,
        Meta(description="What else a rep reads; absent when the lead ceased to be qualified."),
    ] = None


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
