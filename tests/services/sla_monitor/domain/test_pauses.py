"""Clocks with pauses, and a comparison with stepping through each second."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.sla_monitor.domain.clocks import Clock, State, Transition, fire
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.explanations import explain, outcome
from services.sla_monitor.domain.histories import history_of
from services.sla_monitor.domain.pauses import clock_pauses
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.reconciliation import reconcile
from shared.calendar import CompiledCalendar
from shared.contracts.payloads import Change, ClockChange, HandoffChanged
from tests.builders import NOON, agreement, minutes
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    PAUSABLE,
    PAUSE_REASONS,
    TOUCH,
    minutes_after_noon,
    next_rep,
    numbered,
    paused,
    policy,
    resumed,
    sla_section,
    step,
)

ASSIGNED = step(Change.ASSIGNED)


REASONS = [*PAUSE_REASONS, {"id": "trip", "kinds": ["meeting"], "longest": "200h"}]


def policies_with(*policies: dict[str, Any], **calendar: Any) -> dict[int, SlaPolicy]:
    """An agreement in which `later` pauses first touches, and `trip` another kind."""
    section = sla_section(*policies)
    section["calendars"][0] |= calendar
    terms = agreement(sla=section, routing={**PAUSABLE, "pause_reasons": REASONS})
    return {1: SlaPolicy(1, terms)}


def clocks_of(history: list[HandoffChanged], *policies: dict[str, Any]) -> dict[str, Clock]:
    derived = derive_clocks(history, policies_with(*policies))
    return {f"{it.policy}/{it.hop}": it for it in derived}


def touch(*steps: HandoffChanged) -> Clock:
    return clocks_of(numbered(ASSIGNED, *steps), TOUCH)["touch/1"]


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ([], 60),
        ([paused(20), resumed(50)], 90),
        ([paused(20), paused(30), resumed(50)], 90),
        ([paused(20, 15)], 75),
        ([paused(20, 15), resumed(50)], 75),
        ([resumed(5)], 60),
        ([paused(20), resumed(20)], 60),
        ([paused(10), resumed(20), paused(30), resumed(50)], 90),
        ([paused(60), resumed(70)], 60),
        ([paused(59), resumed(70)], 71),
        ([paused(-10), resumed(5)], 65),
        ([paused(-10), resumed(-5)], 60),
        ([paused(20, reason="trip"), resumed(50)], 60),
        ([paused(20, reason="unknown"), resumed(50)], 60),
        ([replace(paused(20), resumes_at=None)], 60),
    ],
    ids=[
        "never", "once", "twice is once", "resumes by itself", "resumed after that", "only resumed",
        "resumed at once", "two", "when due", "before due", "before the start", "over before the start",
        "for another kind", "for an unknown reason", "without an end",
    ],
)  # fmt: skip
def test_a_clock_is_due_later_by_the_time_of_its_pauses(
    steps: list[HandoffChanged], due: float
) -> None:
    clock = touch(*steps)
    assert clock.due_at == minutes_after_noon(due)
    assert touch(*reversed(steps)).due_at == clock.due_at


def test_closed_hours_in_a_pause_are_not_given_back() -> None:
    clock = touch(paused(20), resumed(22 * 60))  # from Wednesday 12:20 to Thursday 10:00
    assert clock.due_at == minutes_after_noon(22 * 60 + 40)
    assert clock.paused_for == minutes(4 * 60 + 40 + 60)


def test_an_acceptance_cannot_be_paused() -> None:
    clocks = clocks_of(numbered(ASSIGNED, paused(5)), ACCEPT)
    assert clocks["accept/1"].due_at == minutes_after_noon(15)


def test_a_pause_is_over_with_its_hop_and_moves_the_journey() -> None:
    second: dict[str, Any] = {"hop": 2, "rep": "linus", "assigned_at": minutes_after_noon(40)}
    of_second = [paused(70, **second), resumed(80, **second)]
    history = numbered(ASSIGNED, paused(20), next_rep(40), *of_second)
    clocks = clocks_of(history, TOUCH, JOURNEY)
    assert clocks["journey/0"].due_at == minutes_after_noon(120 + 20 + 10)
    assert clocks["touch/2"].due_at == minutes_after_noon(40 + 60 + 10)
    assert clocks["touch/1"].spent == minutes(20)


def test_an_answer_within_a_pause_meets_the_promise_with_the_time_before_it() -> None:
    clock = touch(paused(20), step(Change.CONTACTED, 300))
    assert (clock.state, clock.spent, clock.paused_until) == (State.MET, minutes(20), None)


def test_a_warning_comes_later_too() -> None:
    assert touch(paused(20), resumed(50)).warn_at == minutes_after_noon(48 + 30)


def test_a_paused_clock_is_quiet_until_the_pause_is_over_by_itself() -> None:
    [update] = reconcile([], [touch(paused(20, 100))], now=minutes_after_noon(20))
    clock = update.after
    assert clock is not None
    assert (clock.fire_at, clock.due_at) == (minutes_after_noon(120), minutes_after_noon(160))
    assert outcome(clock, now=minutes_after_noon(119)) == "paused"

    clock, nothing = fire(clock, now=minutes_after_noon(120))

    assert (clock.paused_until, clock.fire_at, nothing) == (None, clock.warn_at, [])
    assert outcome(clock, now=minutes_after_noon(120)) == "running"


def test_after_a_standstill_the_pause_ends_before_the_breach() -> None:
    clock, transitions = fire(touch(paused(20, 30)), now=minutes_after_noon(500))
    assert next(it.change for it in transitions) is ClockChange.BREACHED
    assert (clock.paused_until, clock.breached_at) == (None, minutes_after_noon(90))


def test_a_pause_that_is_reported_late_takes_the_breach_back_and_a_later_breach_is_another_one() -> (
    None
):
    breached, [first, *_] = fire(touch(), now=minutes_after_noon(61))
    [update] = reconcile([breached], [touch(paused(20), resumed(50))], now=minutes_after_noon(70))
    assert [it.change for it in update.transitions] == [ClockChange.RETRACTED]
    clock = update.after
    assert clock is not None
    assert (clock.state_at(minutes_after_noon(70)), clock.breached_at) == (State.RUNNING, None)
    assert clock.warned_at is None

    _, transitions = fire(clock, now=minutes_after_noon(91))

    breaches: list[Transition] = [it for it in transitions if it.change is ClockChange.BREACHED]
    assert [it.occurred_at for it in breaches] == [minutes_after_noon(90)]
    assert breaches[0].id != first.id


def test_a_pause_that_is_reported_late_forgets_a_warning() -> None:
    warned, _ = fire(touch(), now=minutes_after_noon(48))
    [update] = reconcile([warned], [touch(paused(20))], now=minutes_after_noon(50))
    assert update.after is not None
    assert update.after.warned_at is None


def test_each_pause_is_explained_and_the_intervals_make_the_target() -> None:
    history = numbered(ASSIGNED, paused(20, actor="rep/grace"), resumed(50), paused(70))
    [clock] = clocks_of(history, TOUCH).values()
    policies = policies_with(TOUCH)
    scoped = history_of(clock.scope, clock.hop, history)
    assert scoped is not None
    pauses = clock_pauses(scoped, clock.kind, policies)

    explanation = explain(
        clock, policies[1].calendar("sales", None), pauses, now=NOON + minutes(80)
    )

    assert sum(it.seconds for it in explanation.intervals) == 3600
    first, second = explanation.pauses
    assert (first.pause.actor, first.pause.ended_by, first.length) == (
        "rep/grace",
        Change.RESUMED,
        minutes(30),
    )
    assert second.pause.ended_by is None
    assert explanation.spent == minutes(40)
    assert history_of(clock.scope, clock.hop, []) is None


LEDGER = st.lists(
    st.tuples(
        st.sampled_from([Change.PAUSED, Change.RESUMED]),
        st.integers(-300, 3_000),
        st.integers(1, 1_000),
    ),
    max_size=8,
)
HOURS = {day: ["09:00-12:20", "12:25-23:00"] for day in ("mon", "tue", "wed")}
"""Hours that close within the ledger."""


@settings(max_examples=50, deadline=None)
@given(ledger=LEDGER, target_s=st.integers(1, 3_000), start_s=st.integers(0, 2_000), data=st.data())
def test_clocks_with_pauses_agree_with_stepping_through_each_second(
    ledger: list[tuple[Change, int, int]], target_s: int, start_s: int, data: st.DataObject
) -> None:
    zero = NOON
    started_at = zero + timedelta(seconds=start_s)
    reports = [
        step(
            change,
            (zero + timedelta(seconds=at) - NOON) / minutes(1),
            reason="later" if change is Change.PAUSED else None,
            resumes_at=zero + timedelta(seconds=at + longest),
            assigned_at=started_at,
        )
        for change, at, longest in ledger
    ]
    assigned = replace(ASSIGNED, assigned_at=started_at)
    changes = [assigned, *data.draw(st.permutations(reports))]
    policies = policies_with(policy("touch", target=f"{target_s}s"), hours=HOURS)
    policies_calendar = policies[1].calendar("sales", None)

    [clock] = derive_clocks(numbered(*changes), policies)

    assert clock.due_at == stepped_due(policies_calendar, started_at, target_s, ledger, zero)


def stepped_due(
    calendar: CompiledCalendar,
    started_at: datetime,
    target_s: int,
    ledger: list[tuple[Change, int, int]],
    zero: datetime,
) -> datetime:
    """The due time by stepping: whether it is paused is kept second by second, as is the time that has run."""
    second = min([0, *(at for _, at, _ in ledger)])
    resumes_at, spent = -1_000_000, 0
    while True:
        now = zero + timedelta(seconds=second)
        if now >= started_at and spent == target_s:
            return now
        is_changed = [(change, longest) for change, at, longest in ledger if at == second]
        for change, longest in sorted(is_changed, key=lambda it: (it[0], -it[1])):
            if change is Change.RESUMED:
                resumes_at = min(resumes_at, second)
            elif resumes_at <= second:
                resumes_at = second + longest
        if now >= started_at and resumes_at <= second and calendar.is_open(now):
            spent += 1
        second += 1
