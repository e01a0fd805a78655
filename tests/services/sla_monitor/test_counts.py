"""The counts of the board are those that a recount gives, whatever happened in whichever order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.domain.counts import (
    RecentCount,
    open_count_changes,
    recent_count_changes,
)
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.queries.counts import add_recent_counts
from services.sla_monitor.queries.lists import ClockFilter, all_clocks
from services.sla_monitor.queries.walks import Slice
from services.sla_monitor.sweep import RECENT, remove_old_counts
from services.sla_monitor.tables import open_counts, recent_counts
from shared.contracts.payloads import Change, HandoffChanged
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    handle_changes,
    minutes_after_noon,
    next_rep,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres

HISTORY = numbered(
    step(Change.ASSIGNED),
    next_rep(30),
    step(Change.ACCEPTED, 40, hop=2, rep="linus", assigned_at=minutes_after_noon(30)),
    step(Change.CONTACTED, 80, hop=2, rep="linus", assigned_at=minutes_after_noon(30)),
)


def stored(session: Session, table: Any) -> dict[tuple[Any, ...], int]:
    """The counts of the table that are not zero, by their keys."""
    rows = session.execute(table.select())
    return {tuple(key): count for *key, count in rows if count}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.one_of(st.sampled_from(HISTORY), st.integers(1, 200)), max_size=8),
)
def test_counts_are_what_a_recount_gives(
    session: Session, steps: list[HandoffChanged | int]
) -> None:
    session.execute(text("truncate sla.clocks, sla.timers, sla.changes, sla.open_counts"))
    session.execute(text("truncate sla.recent_counts, sla.tallies, messaging.agreements"))
    publish_policies(session, ACCEPT, TOUCH, JOURNEY)
    for number, part in enumerate(steps):
        if isinstance(part, int):
            fire_due_clocks(session, now=minutes_after_noon(part))
        else:
            handle_changes(session, replace(part, handoff_id=an_id(number % 2)), minute=90)

    pairs = [
        (None, clock) for clock in all_clocks(session, ClockFilter(), Slice(limit=1_000)).clocks
    ]
    assert stored(session, open_counts) == _plain(open_count_changes(pairs))
    assert stored(session, recent_counts) == _plain(recent_count_changes(pairs))


def _plain(counts: Counter[Any]) -> dict[tuple[Any, ...], int]:
    return {tuple(key): count for key, count in counts.items()}


def test_counts_of_five_minutes_are_kept_for_two_days(sessions: Sessions) -> None:
    changes = {
        RecentCount(minutes_after_noon(minute), "sales", "met"): minute for minute in (5, 10, 15)
    }
    with sessions.begin() as session:
        add_recent_counts(session, changes)

    remove_old_counts(sessions, lambda: minutes_after_noon(10) + RECENT)

    with sessions() as session:
        assert sorted(stored(session, recent_counts).values()) == [10, 15]
