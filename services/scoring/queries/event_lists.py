"""The latest events of all leads.

The ledger has no index in the order of time, which each event would have to pay for, but a BRIN index: it finds the
pages that hold a window of time. So the list is read in windows from its end on: each is longer than the one before,
or shorter after one that holds too many events. A page examines MAX_EXAMINED events, and says up to where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, collate, func, literal, select, text, tuple_
from sqlalchemy.orm import Session

from services.scoring.tables import events
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.time_range import ALWAYS, TimeRange

FIRST_WINDOW = timedelta(seconds=10)
SHORTEST_WINDOW = timedelta(milliseconds=1)
"""Events of so short a time are examined together, however many they are."""

GROWTH, SHRINKAGE = 10, 20
"""A window is so many times as long as the one before, and such a part of one that holds too many events."""

MAX_WINDOWS = 40
MAX_EXAMINED = 20_000
"""What a page reads at most, so that a filter that hardly any event meets does not read the whole ledger."""

MAX_AGE = timedelta(days=31)
"""Without `since` a page looks so far back."""

CLOCK_SKEW = timedelta(minutes=1)
"""How far the clock of a process that took an event may be ahead of this one."""

Position = tuple[datetime, str, str]
"""Time, source and id of an event."""

_NO_SEQUENTIAL_SCAN = text("set local enable_seqscan = off")
"""The planner expects a limit to end a scan of the whole ledger soon, but the latest events are at its end."""

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


class LatestEvents(NamedTuple):
    """Events of a page; where it ended early, all events from this instant on were examined."""

    events: list[ListedEvent]
    examined_since: datetime | None


def latest_events(
    session: Session,
    event_filter: EventFilter,
    *,
    before: Position | None,
    now: datetime,
    limit: int,
    max_examined: int = MAX_EXAMINED,
) -> LatestEvents:
    """Events, the latest first, from before a position on, and none older than MAX_AGE unless `since` asks for them.

    It examines `max_examined` events at most, or those of one SHORTEST_WINDOW, and may end early.
    """
    times = event_filter.times
    end = now + CLOCK_SKEW if times.until is None else times.until
    if before is not None:
        last, _, _ = before
        end = min(end, last + timedelta(microseconds=1))
    start = end - MAX_AGE if times.since is None else times.since
    session.execute(_NO_SEQUENTIAL_SCAN)
    rows: list[ListedEvent] = []
    length, budget = FIRST_WINDOW, max_examined
    for _ in range(MAX_WINDOWS):
        window = TimeRange(max(start, end - length), end)
        number = _number_of_events(session, window, before, limit=budget + 1)
        if number > budget and length > SHORTEST_WINDOW:
            if budget < max_examined / 2:
                break
            length = max(length / SHRINKAGE, SHORTEST_WINDOW)
            continue
        if number:
            rows += _matching(session, event_filter, window, before, limit=limit - len(rows))
        end, budget, length = max(start, end - length), budget - number, length * GROWTH
        if len(rows) == limit or end <= start:
            return LatestEvents(rows, None)
        if budget <= 0:
            break
    return LatestEvents(rows, end)


def _number_of_events(
    session: Session, window: TimeRange, before: Position | None, *, limit: int
) -> int:
    """How many events the window holds, counted up to a limit."""
    held = select(literal(1)).where(*_within(window, before)).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(held)) or 0


def _matching(
    session: Session,
    event_filter: EventFilter,
    window: TimeRange,
    before: Position | None,
    *,
    limit: int,
) -> list[ListedEvent]:
    """The latest events of the window that meet the filter; only their payloads are read."""
    latest = (
        select(events.c.source, events.c.id)
        .where(*_within(window, before), *event_filter.conditions())
        .order_by(*(it.desc() for it in _POSITION))
        .limit(limit)
        .subquery()
    )
    is_listed = (events.c.source == latest.c.source) & (events.c.id == latest.c.id)
    statement = (
        select(events.c.lead_id, cast(events.c.payload, Text).label("payload"))
        .join(latest, is_listed)
        .order_by(*(it.desc() for it in _POSITION))
    )
    return [
        ListedEvent(row.lead_id, MARKETING_EVENTS.codec.decode(row.payload))
        for row in session.execute(statement)
    ]


def _within(window: TimeRange, before: Position | None) -> Sequence[ColumnElement[bool]]:
    in_window = window.conditions(events.c.time)
    if before is None:
        return in_window
    return [*in_window, tuple_(*_POSITION) < tuple_(*map(literal, before))]
