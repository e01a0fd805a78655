"""Makes a MarketingEvent of a parsed event; all formats share it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scoring.ingest.errors import NoIdentity
from services.scoring.ingest.normalize.identities import normal_email, normal_id, normal_phone
from services.scoring.ingest.normalize.names import is_bot, with_campaign, with_page
from services.scoring.ingest.normalize.timestamps import clamp_time
from shared.contracts.payloads import EventKind, Identity, MarketingEvent

NO_IDENTITY = Identity()


@dataclass(frozen=True, slots=True)
class Arrival:
    """The source of a request, and when it came: the same for all of its events."""

    source: str
    received_at: datetime


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


def marketing_event(event: ParsedEvent, arrival: Arrival) -> MarketingEvent:
    """The event with its identity, time, page and campaign normalised; raises NoIdentity."""
    identity, junk = _identity(event)
    time, mark = clamp_time(event.time, arrival.received_at)
    context = event.context or {}
    properties = with_page(event.properties or {}, context)
    marks = ("bot" if is_bot(context) else None, "junk_identity" if junk else None, mark)
    return MarketingEvent(
        source=arrival.source,
        id=event.id,
        kind=event.kind,
        type=event.type,
        time=time,
        received_at=arrival.received_at,
        identity=identity,
        previous=event.previous,
        traits=event.traits or {},
        properties=properties,
        context=with_campaign(context, properties),
        marks=tuple(filter(None, marks)),
    )


def _identity(event: ParsedEvent) -> tuple[Identity, bool]:
    """The identity, and whether one of the event's identifiers is not valid and was left out."""
    identity = Identity(
        email=normal_email(event.email) if event.email else None,
        phone=normal_phone(event.phone) if event.phone else None,
        user_id=normal_id(event.user_id),
        anonymous_id=normal_id(event.anonymous_id),
    )
    if identity == NO_IDENTITY:
        raise NoIdentity
    return identity, (
        bool(event.email and identity.email is None)
        or bool(event.phone and identity.phone is None)
        or bool(event.user_id and identity.user_id is None)
        or bool(event.anonymous_id and identity.anonymous_id is None)
    )
