"""Makes a MarketingEvent of a parsed event; all formats share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from services.scoring.domain.identifiers import normal_email, normal_id, normal_phone
from services.scoring.ingest.errors import NoIdentity
from services.scoring.ingest.normalize.names import is_bot, with_campaign, with_page
from services.scoring.ingest.normalize.timestamps import clamp_time
from services.scoring.ingest.normalize.traits import normal_traits
from shared.contracts.payloads import EventKind, Identity, MarketingEvent

NO_IDENTITY = Identity()

UNUSABLE = {
    "email": "no valid e-mail address",
    "phone": "no valid phone number with a country code",
    "user_id": "no id of a person, or too long",
    "anonymous_id": "no id of a visitor, or too long",
}
"""What is wrong with an identifier that is left out, by its name."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The source of a request, and when it came: the same for all of its events."""

    source: str
    received_at: datetime


class EventWarning(NamedTuple):
    """Something of an accepted event that has no effect, such as an e-mail address that is not valid."""

    code: str
    field: str
    message: str


class AcceptedEvent(NamedTuple):
    """An event as it is published, and what its sender should know about it."""

    event: MarketingEvent
    warnings: tuple[EventWarning, ...] = ()


@dataclass(slots=True)
class ParsedEvent:
    """One event with our field names, its values as the sender sent them."""

    id: str
    type: str
    time: datetime
    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    kind: EventKind = EventKind.TRACK
    previous: Identity | None = None
    traits: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


def accepted_event(event: ParsedEvent, arrival: Arrival) -> AcceptedEvent:
    """The event with its identity, time, traits, page and campaign normalised; raises NoIdentity."""
    identity = Identity(
        email=normal_email(event.email) if event.email else None,
        phone=normal_phone(event.phone) if event.phone else None,
        user_id=normal_id(event.user_id),
        anonymous_id=normal_id(event.anonymous_id),
    )
    if identity == NO_IDENTITY:
        raise NoIdentity
    warnings = tuple(_unusable_identifiers(event, identity))
    time, mark = clamp_time(event.time, arrival.received_at)
    context = event.context or {}
    properties = with_page(event.properties or {}, context)
    marks = ("bot" if is_bot(context) else None, "junk_identity" if warnings else None, mark)
    marketing_event = MarketingEvent(
        source=arrival.source,
        id=event.id,
        kind=event.kind,
        type=event.type,
        time=time,
        received_at=arrival.received_at,
        identity=identity,
        previous=event.previous,
        traits=normal_traits(event.traits) if event.traits else {},
        properties=properties,
        context=with_campaign(context, properties),
        marks=tuple(filter(None, marks)),
    )
    return AcceptedEvent(marketing_event, warnings)


def _unusable_identifiers(event: ParsedEvent, identity: Identity) -> Iterator[EventWarning]:
    """A warning for each identifier that was sent and is not valid."""
    for name, reason in UNUSABLE.items():
        if getattr(event, name) and getattr(identity, name) is None:
            message = f"{name}: this is {reason}; the event was accepted without it"
            yield EventWarning("unusable_identifier", f"lead.{name}", message)
