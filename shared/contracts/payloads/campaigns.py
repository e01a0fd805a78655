"""Of the topic `campaigns.counted`: what became of a campaign's leads on one day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded


class RejectionCount(Payload, frozen=True, kw_only=True, gc=False):
    """How many leads were rejected for one reason."""

    reason: Annotated[str | None, Meta(description="Of the agreement; absent: none was named.")] = (
        None
    )
    count: Annotated[int, Meta(ge=1)]


class WonAmount(Payload, frozen=True, kw_only=True, gc=False):
    """The sum of what was won in one currency."""

    currency: str
    amount: Annotated[float, Meta(ge=0, description="Exact to a hundredth.")]
    wins: Annotated[int, Meta(ge=1)]


class CampaignCounted(Payload, frozen=True, kw_only=True):
    """What became of a campaign's leads on one day, once a campaign and day; without personal data."""

    campaign: str
    day: Annotated[date, Meta(description="In UTC.")]
    counted_at: Annotated[Instant, Meta(description="What is reported later is not in it.")]
    qualified: Annotated[int, Meta(ge=0)]
    accepted: Annotated[int, Meta(ge=0)]
    rejected: Annotated[int, Meta(ge=0, description="And accepted by no rep.")]
    contacted: Annotated[int, Meta(ge=0)]
    won: Annotated[int, Meta(ge=0)]
    rejections: Annotated[
        tuple[RejectionCount, ...],
        Meta(description="The 20 most frequent reasons of these rejections."),
    ] = always_encoded(())
    revenue: Annotated[
        tuple[WonAmount, ...], Meta(description="By currency; 20 currencies at most.")
    ] = always_encoded(())
    wins_without_amount: Annotated[int, Meta(ge=0)] = always_encoded(default=0)
