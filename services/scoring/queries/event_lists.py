"""The latest events of all leads.

The ledger has no index in the order of time, which each event would have to pay for, but a BRIN index: it finds the
pages that hold a window of time. So the list is read in windows, each ten times as long as the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, collate, literal, select, tuple_
from sqlalchemy.orm import Session

from services.scoring.tables import events
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.time_range import ALWAYS, TimeRange

FIRST_WINDOW = timedelta(seconds=10)
MAX_AGE = timedelta(days=31)
"""Without `since` a page looks so far back."""

CLOCK_SKEW = timedelta(minutes=1)
"""How far the clock of a process that took an event may be ahead of this one."""

Position = tuple[datetime, str, str]
"""Time, source and id of an event."""

_POSITION = (events.c.time, collate(events.c.source, "C"), collate(events.c.id, "C"))


class ListedEvent(NamedTuple):
    """An event with its lead."""

    lead_id: UUID
    event: MarketingEvent

    def position(self) -> Position:
        """The place of the event in the list."""
        return self.event.time, self.event.source, self.event.id


class EventFilter(NamedTuple):
    """Which events a list has; a field that is None filters nothing."""

    source: str | None = None
    type: str | None = None
    times: TimeRange = ALWAYS

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on the ledger, without the times."""
        names = {"source": self.source, "type": self.type}
        yield from (events.c[name] == it for name, it in names.items() if it is not None)


def latest_events(
    session: Session,
    event_filter: EventFilter,
    *,
    before: Position | None,
    now: datetime,
    limit: int,
) -> list[ListedEvent]:
    """Events, the latest first, from before a position on, and none older than MAX_AGE unless `since` asks for them."""
    conditions = list(event_filter.conditions())
    times = event_filter.times
    end = now + CLOCK_SKEW if times.until is None else times.until
    if before is not None:
        conditions.append(tuple_(*_POSITION) < tuple_(*map(literal, before)))
        last, _, _ = before
        end = min(end, last + timedelta(microseconds=1))
    start = end - MAX_AGE if times.since is None else times.since
    for first in _window_starts(start, end):
        rows = _window(
            session, [*conditions, *TimeRange(first, end).conditions(events.c.time)], limit
        )
        if len(rows) == limit:
            break
    return rows


def _window_starts(start: datetime, end: datetime) -> Iterator[datetime]:
    """The starts of windows that end at `end`, each ten times as long, the last one at `start`."""
    length = FIRST_WINDOW
    while end - length > start:
        yield end - length
        length *= 10
    yield start


def _window(
    session: Session, conditions: list[ColumnElement[bool]], limit: int
) -> list[ListedEvent]:
    statement = (
        select(events.c.lead_id, cast(events.c.payload, Text).label("payload"))
        .where(*conditions)
        .order_by(*(it.desc() for it in _POSITION))
        .limit(limit)
    )
    return [
        ListedEvent(row.lead_id, MARKETING_EVENTS.codec.decode(row.payload))
        for row in session.execute(statement)
    ]
