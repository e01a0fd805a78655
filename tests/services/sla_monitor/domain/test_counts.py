"""Clocks become counts of open clocks, and of promises kept and broken every five minutes."""

from __future__ import annotations

import pytest

from services.sla_monitor.domain.clocks import Clock, State, breach, warn
from services.sla_monitor.domain.counts import (
    OpenCount,
    RecentCount,
    open_count_changes,
    recent_count_changes,
    start_of_step,
)
from tests.builders import NOON
from tests.services.sla_monitor.builders import DUE_CLOCK, ended, minutes_after_noon

RUNNING = DUE_CLOCK
AT_RISK = warn(RUNNING, now=minutes_after_noon(50))[0]
BREACHED = breach(AT_RISK, now=minutes_after_noon(61))[0]
MET = ended(RUNNING, State.MET, 22, by="contacted")
LATE = ended(BREACHED, State.LATE, 80, by="contacted")
CANCELLED = ended(RUNNING, State.CANCELLED, 9, by="lost")


@pytest.mark.parametrize(
    ("clock", "state"),
    [
        (None, None),
        (RUNNING, "running"),
        (RUNNING._replace(paused_until=RUNNING.due_at), "paused"),
        (AT_RISK, "at_risk"),
        (BREACHED, "breached"),
        (MET, None),
        (LATE, None),
        (CANCELLED, None),
    ],
    ids=["none", "running", "paused", "at risk", "breached", "met", "late", "cancelled"],
)
def test_an_open_clock_counts_in_one_state(clock: Clock | None, state: str | None) -> None:
    counts = open_count_changes([(None, clock)])
    expected = {} if state is None else {state: 1}
    assert {key.state: count for key, count in counts.items()} == expected


def test_a_transition_moves_the_counts_of_open_clocks() -> None:
    changes = open_count_changes([(RUNNING, AT_RISK)] * 3 + [(AT_RISK, BREACHED), (MET, MET)])
    assert {key.state: count for key, count in changes.items()} == {
        "running": -3,
        "at_risk": 2,
        "breached": 1,
    }
    [first, *_] = changes
    assert first == OpenCount("sales", "grace", "standard", "first_touch", "hop", "running")


def test_a_clock_without_a_rep_counts_for_nobody() -> None:
    [key] = open_count_changes([(None, RUNNING._replace(rep=None))])
    assert key.rep == ""


@pytest.mark.parametrize(
    ("before", "after", "minute", "changes"),
    [
        (None, RUNNING, 0, {}),
        (RUNNING, MET, 20, {"met": 1}),
        (RUNNING, BREACHED, 60, {"breached": 1}),
        (BREACHED, LATE, 60, {}),
        (RUNNING, CANCELLED, 0, {}),
        (LATE, None, 60, {"breached": -1}),
    ],
    ids=["started", "met", "breached", "answered late", "cancelled", "removed"],
)
def test_a_promise_counts_when_it_is_kept_or_broken(
    before: Clock | None, after: Clock | None, minute: int, changes: dict[str, int]
) -> None:
    counts = recent_count_changes([(before, after)])
    since = minutes_after_noon(minute)
    assert counts == {RecentCount(since, "sales", name): it for name, it in changes.items()}


def test_a_retracted_breach_counts_as_kept_when_it_was_kept() -> None:
    counts = recent_count_changes([(BREACHED, MET)])
    assert counts == {
        RecentCount(minutes_after_noon(60), "sales", "breached"): -1,
        RecentCount(minutes_after_noon(20), "sales", "met"): 1,
    }


def test_a_step_begins_at_a_full_five_minutes() -> None:
    for minute, start in ((0, 0), (4.99, 0), (5, 5), (59.9, 55)):
        assert start_of_step(minutes_after_noon(minute)) == minutes_after_noon(start)
    assert start_of_step(NOON) == NOON
