"""The ledger of events: each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import DateTime, Text, Uuid, any_, cast, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.scoring.tables import events
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.copying import copy_rows

COLUMNS = ("source", "id", "lead_id", "type", "time", "payload")

EventKey = tuple[str, str]
"""Source and id."""

_PAYLOAD = cast(events.c.payload, Text)
_RECEIVED_AT = cast(events.c.payload["received_at"].astext, DateTime(timezone=True))


def seen_events(session: Session, keys: Collection[EventKey]) -> set[EventKey]:
    """Those of the events that are in the ledger already."""
    asked = (
        func.unnest(
            literal([source for source, _ in keys], ARRAY(Text)),
            literal([id_ for _, id_ in keys], ARRAY(Text)),
        )
        .table_valued("source", "id")
        .render_derived()
    )
    statement = select(events.c.source, events.c.id).join(
        asked, (events.c.source == asked.c.source) & (events.c.id == asked.c.id)
    )
    return {(row.source, row.id) for row in session.execute(statement)}


def add_events(
    session: Session, belonging: Mapping[UUID, Sequence[Message[MarketingEvent]]]
) -> bool:
    """Add each lead's events as they arrived, in the order of their keys.

    False if one is there already: the transaction can then only go back to where it was before.
    """
    rows = [
        (it.source, it.id, lead_id, it.type, it.time, message.json)
        for lead_id, its in belonging.items()
        for message in its
        for it in (message.payload,)
    ]
    rows.sort(key=itemgetter(0, 1))
    try:
        copy_rows(session, events, COLUMNS, rows)
    except UniqueViolation:
        return False
    return True


def events_of(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, list[MarketingEvent]]:
    """All events of the leads."""
    statement = select(events.c.lead_id, _PAYLOAD).where(
        events.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid)))
    )
    found: dict[UUID, list[MarketingEvent]] = {lead_id: [] for lead_id in lead_ids}
    for lead_id, payload in session.execute(statement):
        found[lead_id].append(MARKETING_EVENTS.codec.decode(payload))
    return found


def events_until(session: Session, lead_id: UUID, until: datetime) -> list[MarketingEvent]:
    """The lead's events that were received before then."""
    statement = select(_PAYLOAD).where(events.c.lead_id == lead_id, until > _RECEIVED_AT)
    return [MARKETING_EVENTS.codec.decode(it) for it in session.scalars(statement)]


def latest_events(
    session: Session, lead_ids: Collection[UUID], types: Collection[str], *, limit: int
) -> dict[UUID, list[MarketingEvent]]:
    """The last events of these types of each lead, the latest first."""
    asked = func.unnest(literal(list(lead_ids), ARRAY(Uuid))).column_valued("asked")
    latest = (
        select(_PAYLOAD.label("payload"))
        .where(events.c.lead_id == asked, events.c.type == any_(literal(list(types), ARRAY(Text))))
        .order_by(events.c.time.desc(), events.c.id.desc())
        .limit(limit)
        .lateral()
    )
    found: dict[UUID, list[MarketingEvent]] = {lead_id: [] for lead_id in lead_ids}
    for lead_id, payload in session.execute(select(asked, latest.c.payload)):
        found[lead_id].append(MARKETING_EVENTS.codec.decode(payload))
    return found


def events_before(
    session: Session,
    lead_id: UUID,
    *,
    before: tuple[datetime, str, str] | None,
    until: datetime | None,
    limit: int,
) -> list[MarketingEvent]:
    """A page of the lead's events, the latest first, from after the given place (time, source, id).

    With `until` only those that were received before then.
    """
    place = tuple_(events.c.time, events.c.source, events.c.id)
    statement = (
        select(_PAYLOAD)
        .where(events.c.lead_id == lead_id)
        .order_by(events.c.time.desc(), events.c.source.desc(), events.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(place < tuple_(*map(literal, before)))
    if until is not None:
        statement = statement.where(until > _RECEIVED_AT)
    return [MARKETING_EVENTS.codec.decode(it) for it in session.scalars(statement)]


def move_events(session: Session, joins: Mapping[UUID, UUID]) -> None:
    """Give the events of joined leads to those who stay."""
    moves = (
        func.unnest(
            literal(list(joins), ARRAY(Uuid)),
            literal(list(joins.values()), ARRAY(Uuid)),
        )
        .table_valued("goes", "stays")
        .render_derived()
    )
    session.execute(
        events.update().where(events.c.lead_id == moves.c.goes).values(lead_id=moves.c.stays)
    )
