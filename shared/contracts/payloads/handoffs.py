"""Of the topic of handoffs: a handoff changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded


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
    persona: Annotated[str | None, Meta(description="Of the lead, by the agreement.")] = None
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
