"""Of the topic of events: what a person did, as a marketing platform reports it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded
from shared.contracts.payloads.values import Facts


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
