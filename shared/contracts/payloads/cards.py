"""What a rep reads about a lead: their own words, what they looked at, what they have, where they come from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded


class FormAnswer(Payload, frozen=True, kw_only=True, gc=False):
    """What a person wrote into a field of a form."""

    field: Annotated[str, Meta(description="The field, as the agreement names it.")]
    label: Annotated[str, Meta(description="The field as people read it.")]
    text: Annotated[
        str,
        Meta(
            description="In the person's own words, as plain text, perhaps of several lines; cut at 800 bytes."
        ),
    ]
    at: Instant


class TopicViews(Payload, frozen=True, kw_only=True, gc=False):
    """How much a person read about a topic."""

    topic: str
    label: str
    views: int
    weight: Annotated[
        float,
        Meta(description="The sum of the views, each faded by the half-life of the agreement."),
    ]


class PageViews(Payload, frozen=True, kw_only=True, gc=False):
    """How often a person looked at a page."""

    path: str
    title: str | None = None
    views: int
    weight: Annotated[
        float,
        Meta(description="The sum of the views, each faded by the half-life of the agreement."),
    ]
    last_at: Instant


class Purchase(Payload, frozen=True, kw_only=True, gc=False):
    """Something that a person bought."""

    type: Annotated[str, Meta(description="The type of the event.")]
    title: str | None = None
    amount: float | None = None
    currency: str | None = None
    at: Instant


class CardTouch(Payload, frozen=True, kw_only=True, gc=False):
    """A marketing touch: where the person came from."""

    channel: str
    campaign: str | None = None
    type: Annotated[str, Meta(description="The type of the event.")]
    at: Instant


class ConsentState(StrEnum):
    """Whether a person agreed to be written to."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


class Consent(Payload, frozen=True, kw_only=True, gc=False):
    """Whether a person agreed to be written to, by what the agreement names."""

    state: Annotated[ConsentState, Meta(description="`withdrawn` also where it was refused.")]
    by: Annotated[str | None, Meta(description="The trait or the type of the event.")] = None
    at: Instant | None = None


class LeadCard(Payload, frozen=True, kw_only=True):
    """What a rep reads about a lead besides scores and traits, from the lead's last 1,000 events."""

    persona: Annotated[str | None, Meta(description="The persona as people read it.")] = None
    channel: Annotated[str | None, Meta(description="Of the last touch.")] = None
    first_touch: CardTouch | None = None
    last_touch: CardTouch | None = None
    form_answers: Annotated[
        tuple[FormAnswer, ...],
        Meta(description="The latest answer to each question, in the order of the agreement."),
    ] = always_encoded(())
    topics: Annotated[tuple[TopicViews, ...], Meta(description="Those with most weight first.")] = (
        always_encoded(())
    )
    pages: Annotated[tuple[PageViews, ...], Meta(description="Those with most weight first.")] = (
        always_encoded(())
    )
    purchases: Annotated[tuple[Purchase, ...], Meta(description="The last ones, newest first.")] = (
        always_encoded(())
    )
    purchase_count: Annotated[int, Meta(ge=0, description="With those that are not listed.")] = (
        always_encoded(default=0)
    )
    consent: Annotated[
        Consent | None, Meta(description="Absent where the agreement names nothing that tells it.")
    ] = None
