"""Attainment by source and campaign: it reads the due dates that it is asked for, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.queries.attainment import (
    Cohorts,
    GroupBy,
    daily_tally_sums,
    largest_groups,
    tally_sums,
)
from services.sla_monitor.queries.lists import ClockFilter
from shared.db.session import Sessions
from tests.builders import NOON
from tests.plans import rows_read, scans, settle

pytestmark = pytest.mark.postgres

DAYS, NAMES, TIERS, MEASURES = 120, 25, 4, 5
LAST = 3

_FILL = text("""
    insert into sla.source_tallies (field, tier, due_on, name, team, kind, scope, measure, bucket, count)
    select field, tier, cast(:today as date) - day, 'name ' || n, 'sales', 'accept', 'hop', measure, 0, 1
    from generate_series(0, :days - 1) as day, generate_series(1, :names) as n,
        unnest(array['source', 'campaign']) as field, unnest(array['*', 'hot', 'warm', 'cold']) as tier,
        unnest(array['met', 'late', 'overdue', 'business', 'wall']) as measure
""")


@pytest.fixture(scope="module")
def filled(module_sessions: Sessions) -> Sessions:
    """Tallies of many days, sources and campaigns."""
    with module_sessions.begin() as session:
        session.execute(_FILL, {"today": NOON.date(), "days": DAYS, "names": NAMES})
    settle(module_sessions, "sla.source_tallies")
    return module_sessions


@pytest.fixture
def reading(filled: Sessions) -> Iterator[Session]:
    """A session on that database."""
    with filled() as session:
        yield session


LAST_DAYS: dict[str, Any] = {"first": NOON.date() - timedelta(days=LAST - 1), "last": NOON.date()}
CASES = {
    "by campaign": (GroupBy.CAMPAIGN, ClockFilter()),
    "by source of a tier": (GroupBy.SOURCE, ClockFilter(tier="hot")),
    "by team of a campaign": (GroupBy.TEAM, ClockFilter(campaign="name 7")),
    "by day of a source": (GroupBy.DAY, ClockFilter(source="name 7", team="sales")),
}


@pytest.mark.parametrize(("group_by", "clock_filter"), CASES.values(), ids=CASES)
def test_only_the_dates_that_are_asked_for_are_read(
    reading: Session, group_by: GroupBy, clock_filter: ClockFilter
) -> None:
    cohorts = Cohorts(clock_filter, **LAST_DAYS)

    for read in (tally_sums, daily_tally_sums, partial(largest_groups, limit=10)):
        if group_by is GroupBy.DAY and read is not tally_sums:
            continue
        nodes = scans(reading, partial(read, reading, group_by, cohorts))
        assert nodes
        assert all(it["Node Type"] != "Seq Scan" for it in nodes), nodes
        # pages also have rows that are not wanted; all dates have 40 times as many
        rows = LAST * NAMES * MEASURES
        assert max(map(rows_read, nodes)) <= 2 * rows, nodes


def test_the_largest_groups_are_named_and_the_others_counted(reading: Session) -> None:
    largest = largest_groups(
        reading, GroupBy.CAMPAIGN, Cohorts(ClockFilter(), **LAST_DAYS), limit=NAMES - 4
    )
    assert len(largest.names) == NAMES - 4
    assert (largest.more_groups, largest.more_promised) == (4, 4 * LAST * 3)
    only = Cohorts(ClockFilter(), **LAST_DAYS, names=largest.names[:2])
    assert {it.group for it in tally_sums(reading, GroupBy.CAMPAIGN, only)} == set(
        largest.names[:2]
    )
