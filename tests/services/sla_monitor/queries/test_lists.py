"""Lists of clocks: what each filter finds, and that none reads more than it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.lists import ClockFilter
from services.sla_monitor.queries.walks import Listed, Slice
from shared.db.session import Sessions
from shared.db.time_range import TimeRange
from tests.builders import NOON, an_id, days, minutes
from tests.plans import rows_read, scans, settle

pytestmark = pytest.mark.postgres

CLOCKS, OF_RARE_TEAM, BUDGET = 30_000, 40, 1_000

_FILL = text("""
    insert into sla.clocks (
        id, handoff_id, lead_id, hop, policy, kind, scope, team, rep, tier, calendar, agreement_version, target,
        started_at, warn_at, due_at, due_on, escalation_steps, state, ended_at, reported_late, sources, campaign
    )
    select cast(md5('c' || n) as uuid), cast(md5('h' || n) as uuid), cast(md5('l' || n) as uuid), 1, 'touch',
        case when n % 2 = 0 then 'accept' else 'first_touch' end, case when n % 3 = 0 then 'journey' else 'hop' end,
        case when n % 750 = 5 then 'rare' else 'team_' || n % 3 end, 'rep_' || n % 300,
        case when n % 5000 = 7 then 'gold' else 'standard' end, 'always', 1, interval '4 h',
        at - interval '4 h', at - interval '1 h', at, cast(at as date), '[]',
        case when n % 3 = 0 then 'met' when n % 3 = 1 then 'late' else 'running' end,
        case n % 3 when 0 then at - interval '1 h' when 1 then at + interval '1 h' end, n % 300 = 0,
        case when n % 4 > 0 then array['source_' || n % 4, 'web'] end,
        case when n % 1000 = 11 then 'rare' when n % 4 = 1 then 'campaign_' || n % 7 end
    from generate_series(1, :clocks) as n,
        lateral (select cast(:now as timestamptz) + (n - :clocks / 2) * interval '1 min' as at) as due
""")
_TIMERS = text("""
    insert into sla.timers (clock_id, fire_at, warned_at, breached_at, escalation_count)
    select id, case when ended_at is null and due_at > :now then due_at end,
        case when ended_at is null then warn_at end, case when due_at <= :now then due_at end, 0
    from sla.clocks
""")


@pytest.fixture(scope="module")
def filled(module_sessions: Sessions) -> Sessions:
    """As many clocks that were due as clocks that will be; a third of them is open. All open ones were warned of."""
    with module_sessions.begin() as session:
        session.execute(_FILL, {"now": NOON, "clocks": CLOCKS})
        session.execute(_TIMERS, {"now": NOON})
    settle(module_sessions, "sla.clocks, sla.timers")
    return module_sessions


@pytest.fixture
def listing(filled: Sessions) -> Iterator[Session]:
    """A session on that database."""
    with filled() as session:
        yield session


Read = Callable[[Session, ClockFilter, Slice], Listed]

LISTS: dict[str, Read] = {
    "open breaches": partial(lists.breaches, now=NOON, still_open=True),
    "all breaches": partial(lists.breaches, now=NOON, still_open=False),
    "at risk": partial(lists.at_risk, now=NOON),
    "upcoming": partial(lists.upcoming, now=NOON),
    "clocks": lists.all_clocks,
    "running clocks": partial(lists.all_clocks, state=State.RUNNING),
    "paused clocks": partial(lists.all_clocks, state=State.PAUSED),
    "clocks that were reported late": partial(lists.all_clocks, reported_late=True),
    "clocks that were not": partial(lists.all_clocks, reported_late=False),
}
FILTERS = {
    "everything": ClockFilter(),
    "a rare team": ClockFilter(team="rare"),
    "a team that is none": ClockFilter(team="none"),
    "a rep": ClockFilter(rep="rep_8"),
    "a rep who is none": ClockFilter(rep="nobody", team="team_1"),
    "a tier": ClockFilter(tier="gold"),
    "a kind and a scope": ClockFilter(kind="none", scope="hop"),
    "acknowledged": ClockFilter(acknowledged=True),
    "what a rep may see": ClockFilter(rep="rep_8", visible_to="rep_8"),
    "times": ClockFilter(team="team_1", times=TimeRange(NOON - days(8), NOON + days(8))),
    "a source": ClockFilter(source="source_3"),
    "a campaign": ClockFilter(campaign="rare", source="web"),
    "a handoff": ClockFilter(handoff_id=an_id("none")),
}


def whole_tables(nodes: list[dict[str, Any]]) -> list[str]:
    """Which of the large tables are read as a whole."""
    scanned = {it["Relation Name"] for it in nodes if it["Node Type"] == "Seq Scan"}
    return sorted(scanned & {"clocks", "timers"})


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("list_name", LISTS)
def test_no_filter_reads_more_than_it_may(listing: Session, list_name: str, name: str) -> None:
    """From the start, and from the middle on too."""
    is_later = list_name in ("at risk", "upcoming")
    middle = (NOON + days(3) if is_later else NOON - days(3), an_id("any"))
    for after in (None, middle):
        page = Slice(after, limit=50, max_examined=BUDGET)

        nodes = scans(listing, partial(LISTS[list_name], listing, FILTERS[name], page))

        assert nodes
        assert not whole_tables(nodes), nodes
        assert max(map(rows_read, nodes)) <= BUDGET, nodes


@pytest.mark.parametrize("list_name", ["open breaches", "upcoming", "at risk"])
@pytest.mark.parametrize("name", ["a rare team", "a rep", "a team that is none"])
def test_open_clocks_of_a_team_or_a_rep_have_an_index(
    listing: Session, list_name: str, name: str
) -> None:
    page = Slice(limit=50, max_examined=BUDGET)

    nodes = scans(listing, partial(LISTS[list_name], listing, FILTERS[name], page))

    assert max(map(rows_read, nodes)) <= 2 * OF_RARE_TEAM, nodes


def all_pages(
    session: Session, read: Read, clock_filter: ClockFilter, at: Callable[[Clock], datetime]
) -> list[UUID]:
    """The clocks of all pages, by their ids."""
    clocks: list[Clock] = []
    page = Slice(limit=70, max_examined=BUDGET)
    while True:
        listed = read(session, clock_filter, page)
        clocks += listed.clocks
        position = listed.examined_to
        if len(listed.clocks) == page.limit:
            position = at(listed.clocks[-1]), listed.clocks[-1].id
        if position is None:
            return [it.id for it in clocks]
        page = replace(page, after=position)


@pytest.mark.parametrize(
    "clock_filter",
    [
        ClockFilter(),
        ClockFilter(team="rare"),
        ClockFilter(tier="gold"),
        ClockFilter(kind="accept", rep="rep_8"),
        ClockFilter(source="source_3"),
        ClockFilter(campaign="rare", team="team_1"),
        ClockFilter(acknowledged=False, times=TimeRange(NOON - minutes(900), NOON + minutes(900))),
    ],
    ids=[
        "all",
        "team",
        "tier",
        "rep and kind",
        "source",
        "campaign and team",
        "acknowledged and times",
    ],
)
@pytest.mark.parametrize("list_name", LISTS)
def test_all_pages_together_have_every_clock_once(
    listing: Session, list_name: str, clock_filter: ClockFilter
) -> None:
    read = LISTS[list_name]
    by_start = "clocks" in list_name

    pages = all_pages(
        listing, read, clock_filter, lambda it: it.started_at if by_start else it.due_at
    )

    whole = read(listing, clock_filter, Slice(limit=CLOCKS, max_examined=None))
    assert pages == [it.id for it in whole.clocks]
    assert len(pages) == len(set(pages))
    if clock_filter == ClockFilter():
        assert len(pages) == EXPECTED[list_name]


EXPECTED = {
    "open breaches": CLOCKS / 6,
    "all breaches": CLOCKS / 3,
    "at risk": CLOCKS / 6,
    "upcoming": CLOCKS / 6,
    "clocks": CLOCKS,
    "running clocks": CLOCKS / 3,
    "paused clocks": 0,
    "clocks that were reported late": CLOCKS / 300,
    "clocks that were not": CLOCKS - CLOCKS / 300,
}
