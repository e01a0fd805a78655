"""What pauses do to stored clocks, on a real PostgreSQL."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import State
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.queries.lists import ClockFilter, all_clocks, at_risk
from services.sla_monitor.queries.walks import Slice
from services.sla_monitor.tables import open_counts
from shared.contracts.payloads import Change
from tests.builders import an_id, minutes
from tests.services.sla_monitor.builders import (
    ACCEPT,
    TOUCH,
    announced_changes,
    handle_changes,
    minutes_after_noon,
    numbered,
    outcome_counts,
    paused,
    publish_policies,
    resumed,
    step,
    stored_clocks,
)

pytestmark = pytest.mark.postgres

ASSIGNED, PAUSED, RESUMED = numbered(step(Change.ASSIGNED), paused(20, 100), resumed(50))


def counts_by_state(session: Session) -> dict[str, int]:
    """How many clocks are counted as open in each state."""
    rows = session.execute(select(open_counts.c.state, open_counts.c.count))
    return {state: count for state, count in rows if count}


def test_a_paused_clock_is_counted_and_listed_as_paused_until_it_is_resumed(
    session: Session,
) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    handle_changes(session, PAUSED, minute=20)
    assert counts_by_state(session) == {"paused": 1}
    assert stored_clocks(session)["touch/1"].due_at == minutes_after_noon(160)

    handle_changes(session, RESUMED, minute=50)

    clock = stored_clocks(session)["touch/1"]
    assert (clock.due_at, clock.paused_until) == (minutes_after_noon(90), None)
    assert counts_by_state(session) == {"running": 1}
    assert [it.change.value for it in announced_changes(session)] == ["started"]


def test_a_sweep_resumes_a_clock_whose_pause_is_over_by_itself_and_breaches_it_later(
    session: Session,
) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED, PAUSED, minute=20)
    assert fire_due_clocks(session, now=minutes_after_noon(119)) == 0
    assert fire_due_clocks(session, now=minutes_after_noon(120)) == 1
    assert counts_by_state(session) == {"running": 1}
    assert fire_due_clocks(session, now=minutes_after_noon(147)) == 0
    assert fire_due_clocks(session, now=minutes_after_noon(148)) == 1
    assert fire_due_clocks(session, now=minutes_after_noon(160)) == 1
    changes = [(it.change.value, it.occurred_at) for it in announced_changes(session)][1:]
    assert changes == [
        ("at_risk", minutes_after_noon(148)),
        ("breached", minutes_after_noon(160)),
    ]
    assert counts_by_state(session) == {"breached": 1}
    assert outcome_counts(session) == {"overdue": 1}


def test_a_clock_that_was_at_risk_is_none_while_it_is_paused(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(50))
    assert counts_by_state(session) == {"at_risk": 1}

    handle_changes(session, replace(paused(55), sequence=2), minute=55)

    now = minutes_after_noon(56)
    assert counts_by_state(session) == {"paused": 1}
    for filter_ in (ClockFilter(), ClockFilter(rep="grace")):
        assert at_risk(session, filter_, Slice(limit=10), now=now).clocks == []
    states = {
        state: len(all_clocks(session, ClockFilter(), Slice(limit=10), now=now, state=state).clocks)
        for state in State
    }
    assert states == {
        State.RUNNING: 0,
        State.PAUSED: 1,
        State.MET: 0,
        State.LATE: 0,
        State.CANCELLED: 0,
    }


def test_a_pause_that_is_reported_late_takes_a_breach_back(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(61))
    assert outcome_counts(session) == {"overdue": 1}

    handle_changes(session, PAUSED, RESUMED, minute=70)

    assert outcome_counts(session) == {}
    assert counts_by_state(session) == {"running": 1}
    handle_changes(session, replace(step(Change.CONTACTED, 90), sequence=4), minute=90)
    clock = stored_clocks(session)["touch/1"]
    assert (clock.state, clock.spent) == (State.MET, minutes(60))
    assert outcome_counts(session) == {"met": 1}


def test_a_pause_after_the_breach_undoes_nothing(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(61))
    before = stored_clocks(session)

    handle_changes(session, replace(paused(62), sequence=2), minute=62)

    assert stored_clocks(session) == before
    assert outcome_counts(session) == {"overdue": 1}


def test_pauses_in_any_order_give_the_same_clocks(session: Session) -> None:
    publish_policies(session, ACCEPT, TOUCH)
    changes = numbered(step(Change.ASSIGNED), paused(20), resumed(50), step(Change.CONTACTED, 85))
    for order in permutations(changes):
        handoff_id = an_id([it.sequence for it in order])
        for change in order:
            handle_changes(session, replace(change, handoff_id=handoff_id), minute=90)
        handle_changes(session, *(replace(it, handoff_id=handoff_id) for it in order), minute=91)

    clocks = all_clocks(session, ClockFilter(), Slice(limit=100)).clocks
    assert len(clocks) == 48
    outcomes = {
        (it.policy, it.state, it.due_at, it.spent, it.breached_at, it.paused_until) for it in clocks
    }
    late = minutes_after_noon(15)
    assert outcomes == {
        ("touch", State.MET, minutes_after_noon(90), minutes(55), None, None),
        ("accept", State.LATE, late, minutes(85), late, None),
    }
    assert counts_by_state(session) == {}
    assert outcome_counts(session) == {"met": 24, "late": 24}
