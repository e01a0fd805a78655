"""Ids of events that came without one, derived from their content; equal content within ten minutes is a retry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from services.scoring.domain.identities import EventMessage

RETRY_WINDOW = timedelta(minutes=10)
"""Equal content that arrives again within this time counts once."""

EventKey = tuple[str, str]
"""Source and id."""

_PREFIX = "content-"
_WITH_WINDOW = re.compile(rf"({_PREFIX}[0-9a-f]{{64}}-)([0-9]{{1,12}})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def content_id(digest: str, received_at: datetime | None) -> str:
    """The id of an event with this digest of its content, in hexadecimal digits.

    Without a time in the content the id also holds the number of the window in which the event arrived.
    """
    if received_at is None:
        return f"{_PREFIX}{digest}"
    return f"{_PREFIX}{digest}-{(received_at - _EPOCH) // RETRY_WINDOW}"


def id_in_window_before(event_id: str) -> str | None:
    """The id that the same content has in the window before; None for an id without a window."""
    match = _WITH_WINDOW.fullmatch(event_id)
    return None if match is None else f"{match[1]}{int(match[2]) - 1}"


def keys_in_window_before(messages: Iterable[EventMessage]) -> set[EventKey]:
    """The keys that the events with derived ids would have had in the window before."""
    derived = [it.payload for it in messages if it.payload.id.startswith(_PREFIX)]
    keys = [(event.source, id_in_window_before(event.id)) for event in derived]
    return {(source, before) for source, before in keys if before is not None}


def without_retries(
    messages: Iterable[EventMessage], arrivals: Mapping[EventKey, datetime]
) -> Iterator[EventMessage]:
    """The events without those whose content arrived within RETRY_WINDOW before, in the window before theirs.

    `arrivals` has the arrival of events that are in the ledger already.
    """
    counted = dict(arrivals)
    for message in messages:
        event = message.payload
        before = id_in_window_before(event.id)
        arrived_at = None if before is None else counted.get((event.source, before))
        if arrived_at is not None and event.received_at - arrived_at <= RETRY_WINDOW:
            continue
        counted.setdefault((event.source, event.id), event.received_at)
        yield message
