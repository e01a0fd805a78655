"""The ledger: every event once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import (
    DateTime,
    Select,
    TableValuedAlias,
    Text,
    Uuid,
    any_,
    cast,
    collate,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.scoring.domain.card import HISTORY, CardSources
from services.scoring.domain.content_ids import EventKey
from services.scoring.domain.context import RECENT
from services.scoring.domain.touches import Origin
from services.scoring.tables import events
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.copying import copying_rows
from shared.db.optimistic import StaleRead
from shared.db.time_range import ALWAYS, TimeRange

COLUMNS = ("source", "id", "lead_id", "type", "time", "payload", "channel", "campaign")
NO_TOUCH = (None, None)

_POSITION = (events.c.time, collate(events.c.source, "C"), collate(events.c.id, "C"))
"""The order of events as in `event_order`: source and id are compared by their bytes in both."""
_LATEST_FIRST = tuple(it.desc() for it in _POSITION)

_PAYLOAD = cast(events.c.payload, Text)
_RECEIVED_AT = cast(events.c.payload["received_at"].astext, DateTime(timezone=True))


def event_types_since(session: Session, since: datetime, *, timeout_ms: int) -> set[str]:
    """The types of all events since then. PostgreSQL ends the statement, which reads them all, after the timeout."""
    session.execute(text(f"set local statement_timeout = {timeout_ms:d}"))
    return set(session.scalars(select(events.c.type).where(events.c.time >= since).distinct()))


def arrivals(session: Session, keys: Collection[EventKey]) -> dict[EventKey, datetime]:
    """When the events with these keys arrived, of those that are in the ledger."""
    wanted_keys = (
        func.unnest(
            literal([source for source, _ in keys], ARRAY(Text)),
            literal([id_ for _, id_ in keys], ARRAY(Text)),
        )
        .table_valued("source", "id")
        .render_derived()
    )
    statement = select(events.c.source, events.c.id, _RECEIVED_AT.label("received_at")).join(
        wanted_keys,
        (events.c.source == wanted_keys.c.source) & (events.c.id == wanted_keys.c.id),
    )
    return {(row.source, row.id): row.received_at for row in session.execute(statement)}


@contextmanager
def adding_events(
    session: Session,
    events_by_lead: Mapping[UUID, Sequence[Message[MarketingEvent]]],
    origin_of: Callable[[MarketingEvent], Origin | None],
) -> Iterator[None]:
    """Add each lead's events in the order of their keys, while the block runs, which may not use the session.

    An event with an origin is a touch. Raises StaleRead at the end of the block if an event is there already.
    """
    rows = [
        (
            *(event.source, event.id, lead_id, event.type, event.time, message.json),
            *(origin_of(event) or NO_TOUCH),
        )
        for lead_id, messages in events_by_lead.items()
        for message in messages
        for event in (message.payload,)
    ]
    rows.sort(key=itemgetter(0, 1))
    try:
        with copying_rows(session, events, COLUMNS, rows):
            yield
    except UniqueViolation:
        raise StaleRead("an event is in the ledger already") from None


def events_of(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, list[MarketingEvent]]:
    """All events of the leads."""
    statement = select(events.c.lead_id, _PAYLOAD.label("payload")).where(
        events.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid)))
    )
    return _events_by_lead(session, lead_ids, statement)


def events_until(session: Session, lead_id: UUID, until: datetime) -> list[MarketingEvent]:
    """The lead's events that were received before then."""
    statement = select(_PAYLOAD).where(events.c.lead_id == lead_id, until > _RECEIVED_AT)
    return [MARKETING_EVENTS.codec.decode(it) for it in session.scalars(statement)]


def latest_events(
    session: Session, lead_ids: Collection[UUID], types: Collection[str], *, limit: int = RECENT
) -> dict[UUID, list[MarketingEvent]]:
    """For each lead its last events of these types, the latest first."""
    if not lead_ids or not types:
        return {lead_id: [] for lead_id in lead_ids}
    requested = _requested(lead_ids)
    latest = (
        select(_PAYLOAD.label("payload"))
        .where(
            events.c.lead_id == requested.c.lead_id,
            events.c.type == any_(literal(list(types), ARRAY(Text))),
        )
        .order_by(*_LATEST_FIRST)
        .limit(limit)
        .lateral()
    )
    return _events_by_lead(session, lead_ids, select(requested.c.lead_id, latest.c.payload))


def card_events(
    session: Session, lead_ids: Collection[UUID], card_sources: CardSources
) -> dict[UUID, list[MarketingEvent]]:
    """The events of the card among the last HISTORY of each lead, and the last ones of its consent; some twice."""
    if not lead_ids:
        return {}
    requested = _requested(lead_ids)
    latest = (
        select(events.c.type, events.c.payload)
        .where(events.c.lead_id == requested.c.lead_id)
        .order_by(*_LATEST_FIRST)
        .limit(HISTORY)
        .lateral()
    )
    has_field = latest.c.payload["properties"].has_any(
        literal(list(card_sources.fields), ARRAY(Text))
    )
    is_of_card = (latest.c.type == any_(literal(list(card_sources.types), ARRAY(Text)))) | has_field
    payload = cast(latest.c.payload, Text).label("payload")
    statement = select(requested.c.lead_id, payload).where(is_of_card)
    in_window = _events_by_lead(session, lead_ids, statement)
    of_consent = latest_events(session, lead_ids, card_sources.consent_types)
    return {lead_id: [*in_window[lead_id], *of_consent[lead_id]] for lead_id in lead_ids}


def _requested(lead_ids: Collection[UUID]) -> TableValuedAlias:
    """The ids as a table with a name: in a subquery a bare `lead_id` would be that of `events`."""
    ids = func.unnest(literal(list(lead_ids), ARRAY(Uuid)))
    return ids.table_valued("lead_id").render_derived()


def _events_by_lead(
    session: Session, lead_ids: Collection[UUID], statement: Select[UUID, str]
) -> dict[UUID, list[MarketingEvent]]:
    """The events of the statement's payloads by lead; leads without any have none."""
    events_by_lead: dict[UUID, list[MarketingEvent]] = {lead_id: [] for lead_id in lead_ids}
    for row in session.execute(statement):
        events_by_lead[row.lead_id].append(MARKETING_EVENTS.codec.decode(row.payload))
    return events_by_lead


def events_before(
    session: Session,
    lead_id: UUID,
    *,
    times: TimeRange = ALWAYS,
    before: tuple[datetime, str, str] | None,
    until: datetime | None,
    limit: int,
) -> list[MarketingEvent]:
    """A page of the lead's events, the latest first, older than `before` (time, source and id).

    With `until` it has only events that were received before then.
    """
    statement = (
        select(_PAYLOAD).where(events.c.lead_id == lead_id).order_by(*_LATEST_FIRST).limit(limit)
    )
    statement = statement.where(*times.conditions(events.c.time))
    if before is not None:
        statement = statement.where(tuple_(*_POSITION) < tuple_(*map(literal, before)))
    if until is not None:
        statement = statement.where(until > _RECEIVED_AT)
    return [MARKETING_EVENTS.codec.decode(it) for it in session.scalars(statement)]


def move_events(session: Session, merges: Mapping[UUID, UUID]) -> None:
    """Move the events of merged leads (goes: stays) to the leads that stay."""
    moves = (
        func.unnest(
            literal(list(merges), ARRAY(Uuid)),
            literal(list(merges.values()), ARRAY(Uuid)),
        )
        .table_valued("goes", "stays")
        .render_derived()
    )
    session.execute(
        events.update().where(events.c.lead_id == moves.c.goes).values(lead_id=moves.c.stays)
    )
