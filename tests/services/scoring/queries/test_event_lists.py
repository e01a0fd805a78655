"""The list of the latest events reads a bounded part of the ledger, however few events meet its filter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.scoring.api.event_lists import page_after
from services.scoring.queries.event_lists import EventFilter, Position, latest_events
from shared.contracts.codec import encode
from shared.db.session import Sessions
from shared.db.time_range import TimeRange
from tests.builders import NOON, days, marketing_event
from tests.plans import rows_read, scans, settle

pytestmark = pytest.mark.postgres

EVENTS, BURST, BUDGET = 40_000, 3_000, 2_000
ROWS_OF_RANGE = 2_500
"""More than the rows of 128 pages, which BRIN knows as one range."""

APART = timedelta(days=30) / EVENTS

_FILL = text("""
    insert into scoring.events (source, id, lead_id, type, time, payload)
    select 'website', n, gen_random_uuid(), case when n % 10000 = 17 then 'rare' else 'page_viewed' end, at,
        cast(:payload as jsonb) || jsonb_build_object(
            'id', cast(n as text), 'time', at, 'properties', jsonb_build_object('text', repeat('x', 500)),
            'type', case when n % 10000 = 17 then 'rare' else 'page_viewed' end
        )
    from generate_series(1, :events) as n,
        lateral (select cast(:now as timestamptz) - (:events - n) * cast(:apart as interval)) as t (at)
""")
_BURST = text("""
    insert into scoring.events (source, id, lead_id, type, time, payload)
    select 'import', n, gen_random_uuid(), 'page_viewed', :now,
        cast(:payload as jsonb) || jsonb_build_object('id', cast(n as text), 'source', 'import', 'time', :now)
    from generate_series(1, :events) as n
""")


@pytest.fixture(scope="module")
def filled(module_sessions: Sessions) -> Sessions:
    """A ledger of a month, with a rare type, and many events of one instant."""
    payload = encode(marketing_event()).decode()
    with module_sessions.begin() as session:
        values = {"payload": payload, "now": NOON}
        session.execute(_FILL, {**values, "events": EVENTS, "apart": APART})
        session.execute(_BURST, {**values, "events": BURST})
    settle(module_sessions, "scoring.events")
    return module_sessions


@pytest.fixture
def listing(filled: Sessions) -> Iterator[Session]:
    """A session on that ledger."""
    with filled() as session:
        yield session


FILTERS = {
    "everything": EventFilter(),
    "a type that never came": EventFilter(type="none"),
    "a source that never sent": EventFilter(source="nobody"),
    "a rare type": EventFilter(type="rare"),
    "a year": EventFilter(type="none", times=TimeRange(NOON - days(365), None)),
}
POSITIONS: dict[str, Position | None] = {
    "the end": None,
    "the middle": (NOON - days(12), "website", "x"),
}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_reads_more_than_it_may(listing: Session, name: str, position: str) -> None:
    read = partial(
        latest_events, listing, FILTERS[name], before=POSITIONS[position], now=NOON, limit=51
    )

    nodes = [
        it for it in scans(listing, partial(read, max_examined=BUDGET)) if "Relation Name" in it
    ]

    assert nodes
    assert not [it for it in nodes if it["Node Type"] == "Seq Scan"], nodes
    limit = BUDGET + 2 * ROWS_OF_RANGE + (BURST if position == "the end" else 0)
    assert max(map(rows_read, nodes)) <= limit, nodes


def ids(session: Session, event_filter: EventFilter, *, limit: int = 70) -> list[tuple[str, str]]:
    """The source and the id of the events of all pages."""
    events: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = page_after(session, event_filter, cursor, now=NOON, limit=limit, max_examined=BUDGET)
        events += [(it.source, it.id) for it in page.items]
        cursor = page.next
        if cursor is None:
            return events


def test_all_pages_together_have_every_event_once(listing: Session) -> None:
    rare = [n for n in range(EVENTS, 0, -1) if n % 10_000 == 17]
    assert ids(listing, EventFilter(type="rare")) == [("website", str(n)) for n in rare]
    assert ids(listing, EventFilter(source="nobody")) == []
    sent_at_once = sorted(map(str, range(1, BURST + 1)), reverse=True)
    assert ids(listing, EventFilter(source="import")) == [("import", it) for it in sent_at_once]
    since: datetime = NOON - days(1)
    recent = [n for n in range(EVENTS, 0, -1) if NOON - (EVENTS - n) * APART >= since]
    of_website = EventFilter(source="website", times=TimeRange(since, None))
    assert ids(listing, of_website) == [("website", str(n)) for n in recent]
