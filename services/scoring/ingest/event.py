"""From what a sender said to a MarketingEvent: the part that all formats share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scoring.ingest.refusals import NoIdentity
from services.scoring.ingest.what import by_bot, campaigned, placed
from services.scoring.ingest.when import settled
from services.scoring.ingest.who import email_of, id_of, phone_of
from shared.contracts.payloads import EventKind, Identity, MarketingEvent

NOBODY = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is true of all events of one request."""

    source: str
    received_at: datetime


@dataclass(slots=True)
class Said:
    """One event in our words, before anything of it is believed."""

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


def marketing_event(said: Said, arrival: Arrival) -> MarketingEvent:
    """The event with its identity and its time put right; raises NoIdentity."""
    identity, junk = _identity(said)
    time, mark = settled(said.time, arrival.received_at)
    context = said.context or {}
    properties = placed(said.properties or {}, context)
    marks = ("bot" if by_bot(context) else None, "junk_identity" if junk else None, mark)
    return MarketingEvent(
        source=arrival.source,
        id=said.id,
        kind=said.kind,
        type=said.type,
        time=time,
        received_at=arrival.received_at,
        identity=identity,
        previous=said.previous,
        traits=said.traits or {},
        properties=properties,
        context=campaigned(context, properties),
        marks=tuple(filter(None, marks)),
    )


def _identity(said: Said) -> tuple[Identity, bool]:
    """Who it is, and whether something that was said to be an identity is none."""
    given = (said.email, said.phone, said.user_id, said.anonymous_id)
    kept = (
        email_of(said.email) if said.email else None,
        phone_of(said.phone) if said.phone else None,
        id_of(said.user_id),
        id_of(said.anonymous_id),
    )
    if kept == NOBODY:
        raise NoIdentity
    email, phone, user_id, anonymous_id = kept
    found = Identity(email=email, phone=phone, user_id=user_id, anonymous_id=anonymous_id)
    return found, any(
        it is None and what not in (None, "") for what, it in zip(given, kept, strict=True)
    )
