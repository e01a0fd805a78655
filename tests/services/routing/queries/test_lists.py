"""Lists and counts of handoffs: what each filter finds, and that none reads more than it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State
from services.routing.queries.counts import closed_counts, live_counts
from services.routing.queries.lists import (
    HandoffFilter,
    Slice,
    every_handoff,
    list_handoffs,
)
from shared.db.session import Sessions
from shared.db.time_range import TimeRange
from tests.builders import NOON, an_id, days
from tests.plans import rows_read, scans, settle

pytestmark = pytest.mark.postgres

HANDOFFS, LIVE, BUDGET = 30_000, 300, 1_000

_FILL = text("""
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, tier_rank, qualified_at,
        assigned_at, closed_at, agreement_version, lead
    )
    select md5('h' || n)::uuid, md5('l' || n)::uuid, 1,
        case when n > :live then (array['won', 'lost', 'returned'])[1 + n % 3]
            else (array['waiting', 'assigned', 'accepted', 'contacted'])[1 + n % 4] end,
        'team_' || n % 3, 'all', case when n > :live or n % 4 > 0 then 'rep_' || n % 20 end, 1, 1,
        case when n % 10 = 0 then 'hot' else 'standard' end, 0,
        :now - n * interval '1 minute', :now - n * interval '1 minute',
        case when n > :live then :now - (n - :live) * interval '1 minute' end, 1,
        jsonb_build_object(
            'lead_id', md5('l' || n)::uuid, 'qualification', 1, 'change', 'became', 'at', :now, 'tier', 'standard',
            'cause', 'threshold', 'agreement_version', 1,
            'scores', jsonb_build_object('fit', 1, 'engagement', 1, 'grade', 'B2'),
            'context', jsonb_build_object(
                'sources', jsonb_build_array('website', 'source_' || n % 50),
                'last_campaign', case n % 4 when 0 then jsonb_build_object('name', 'spring') when 1 then
                    jsonb_build_object('name', '', 'campaign', 'autumn') else '{}'::jsonb end,
                'first_campaign', case when n % 4 = 2 then jsonb_build_object('name', 'spring')
                    else '{}'::jsonb end
            )
        )
    from generate_series(1, :handoffs) as n
""")


@pytest.fixture(scope="module")
def filled(module_sessions: Sessions) -> Sessions:
    """A database with many closed handoffs, and a few live ones, which are the newest."""
    with module_sessions.begin() as session:
        session.execute(_FILL, {"now": NOON, "live": LIVE, "handoffs": HANDOFFS})
    settle(module_sessions, "routing.handoffs")
    return module_sessions


@pytest.fixture
def listing(filled: Sessions) -> Iterator[Session]:
    """A session on that database."""
    with filled() as session:
        yield session


FILTERS = {
    "everything": HandoffFilter(),
    "closed": HandoffFilter(states=[State.WON]),
    "closed and live": HandoffFilter(states=[State.WON, State.ASSIGNED]),
    "a rep": HandoffFilter(rep="rep_7"),
    "a team": HandoffFilter(team="of nobody"),
    "a tier": HandoffFilter(tier="none"),
    "a source": HandoffFilter(source="nowhere"),
    "a team that no rep is in": HandoffFilter(team="team_1", rep="nobody"),
    "tier and source": HandoffFilter(tier="hot", source="source_3"),
    "campaign": HandoffFilter(campaign="none of this name"),
    "an age": HandoffFilter(times=TimeRange(NOON - days(9), NOON - days(3)), team="team_2"),
    "live": HandoffFilter(states=[State.WAITING, State.ASSIGNED, State.ACCEPTED]),
    "waiting": HandoffFilter(states=[State.WAITING]),
    "accepted of an age": HandoffFilter(
        states=[State.ACCEPTED], times=TimeRange(NOON - days(9), NOON)
    ),
    "held by a rep": HandoffFilter(states=[State.ASSIGNED, State.CONTACTED], rep="rep_7"),
    "live by source": HandoffFilter(states=[State.ASSIGNED], source="source_3", tier="standard"),
    "a lead": HandoffFilter(leads=[an_id("nobody")], states=[State.WON], team="team_1"),
}


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_reads_more_than_it_may(listing: Session, name: str, order: str) -> None:
    """In either order, and from the middle on too."""
    for after in (None, (NOON - days(2), an_id("any"))):
        page = Slice(after, limit=50, newest_first=order == "newest")

        nodes = scans(
            listing,
            partial(list_handoffs, listing, FILTERS[name], page, max_examined=BUDGET),
        )

        assert nodes
        assert not [it for it in nodes if it["Node Type"] == "Seq Scan"], nodes
        limit = LIVE if FILTERS[name].meets_few else BUDGET
        if FILTERS[name].is_of_live_states_alone:
            limit = 2 * page.limit
        assert max(map(rows_read, nodes)) <= limit, nodes


def pages(session: Session, handoff_filter: HandoffFilter, *, newest_first: bool) -> list[Handoff]:
    """The handoffs of all pages."""
    handoffs: list[Handoff] = []
    after = None
    while True:
        page = Slice(after, limit=70, newest_first=newest_first)
        listed = list_handoffs(session, handoff_filter, page, max_examined=BUDGET)
        handoffs += listed.handoffs
        if len(listed.handoffs) == page.limit:
            last = listed.handoffs[-1]
            after = (last.qualified_at, last.id)
        elif listed.examined_to is not None:
            after = listed.examined_to
        else:
            return handoffs


@pytest.mark.parametrize(
    ("handoff_filter", "numbers"),
    [
        (HandoffFilter(rep="rep_7", states=[State.WON]), lambda n: n > LIVE and n % 60 == 27),
        (HandoffFilter(tier="hot", source="source_20"), lambda n: n % 50 == 20),
        (HandoffFilter(source="source_3", campaign="autumn"), lambda n: n % 100 == 53),
        (
            HandoffFilter(states=[State.ACCEPTED], team="team_1"),
            lambda n: n <= LIVE and n % 12 == 10,
        ),
        (HandoffFilter(states=[State.ACCEPTED]), lambda n: n <= LIVE and n % 4 == 2),
        (
            HandoffFilter(states=[State.CONTACTED, State.ASSIGNED, State.CONTACTED]),
            lambda n: n <= LIVE and n % 4 in (1, 3),
        ),
        (HandoffFilter(campaign="spring", team="team_0", tier="hot"), lambda n: n % 30 == 0),
    ],
    ids=["rep", "source", "campaign", "live", "a state", "states", "first campaign"],
)
def test_all_pages_together_have_every_handoff_once_in_either_order(
    listing: Session, handoff_filter: HandoffFilter, numbers: Callable[[int], bool]
) -> None:
    expected = [NOON - timedelta(minutes=n) for n in range(1, HANDOFFS + 1) if numbers(n)]

    newest = pages(listing, handoff_filter, newest_first=True)
    oldest = pages(listing, handoff_filter, newest_first=False)

    assert expected
    assert [it.qualified_at for it in newest] == expected
    assert oldest == newest[::-1]
    assert every_handoff(listing, handoff_filter, limit=HANDOFFS) == newest
    assert every_handoff(listing, handoff_filter, limit=3) == newest[:3]


def test_live_counts_read_live_handoffs_alone(listing: Session) -> None:
    nodes = scans(listing, lambda: list(live_counts(listing)))
    counts = list(live_counts(listing))

    indexes = {it["Index Name"] for it in nodes if "Index Name" in it}
    assert indexes == {"ix_handoffs_held", "ix_handoffs_waiting"}, nodes
    assert max(map(rows_read, nodes)) <= LIVE
    assert sum(it.handoffs for it in counts) == LIVE
    assert sum(it.handoffs for it in counts if it.state is State.WAITING) == LIVE / 4
    assert {it.rep for it in counts if it.state is State.WAITING} == {None}
    own = list(live_counts(listing, rep="rep_7"))
    assert {(it.state, it.rep) for it in own} == {(State.CONTACTED, "rep_7")}


def test_closed_counts_read_the_handoffs_of_those_days_alone(listing: Session) -> None:
    since = NOON - days(1)
    nodes = scans(listing, lambda: closed_counts(listing, since=since))
    counts = closed_counts(listing, since=since)

    assert {it["Index Name"] for it in nodes if "Index Name" in it} == {"ix_handoffs_closed"}
    assert max(map(rows_read, nodes)) <= 24 * 60
    assert sum(it.handoffs for it in counts) == 24 * 60
    assert {it.day for it in counts} == {NOON.date(), (NOON - days(1)).date()}
    own = closed_counts(listing, since=since, rep="rep_7")
    assert sum(it.handoffs for it in own) == 24 * 60 / 20
