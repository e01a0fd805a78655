"""The payload of `leads.touched`: where a lead came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded


class MarketingTouch(Payload, frozen=True, kw_only=True, gc=False):
    """One marketing event that names where the lead came from; without personal data."""

    id: Annotated[
        str,
        Meta(description="The same for the same event; it derives from its source and its id."),
    ]
    occurred_at: Instant
    channel: Annotated[str, Meta(description="By the agreement of when the event was added.")]
    campaign: str | None = None
    source: Annotated[str, Meta(description="The source that sent the event.")]
    type: str


class TouchCause(StrEnum):
    """Why a lead's touches are announced."""

    QUALIFIED = "qualified"
    CLOSED = "closed"


class LeadTouched(Payload, frozen=True, kw_only=True):
    """The marketing touches of a lead, at a qualification and again when that is closed."""

    lead_id: Annotated[UUID, Meta(description="With the qualification, the handoff's key.")]
    qualification: Annotated[int, Meta(ge=1)]
    cause: TouchCause
    occurred_at: Annotated[
        Instant, Meta(description="When it qualified or was closed; later touches are left out.")
    ]
    known_at: Annotated[
        Instant | None,
        Meta(description="The first event that names a person and not only a visitor."),
    ] = None
    touches: Annotated[
        tuple[MarketingTouch, ...],
        Meta(description="The first 20 and the last 180, in their order; of merged leads too."),
    ] = always_encoded(())
    omitted: Annotated[
        int, Meta(ge=0, description="How many touches were left out between them.")
    ] = always_encoded(default=0)
