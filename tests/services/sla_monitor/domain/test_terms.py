"""Clocks under versions of the agreement that ops apply to them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.derivation import derive_clocks, derive_with_terms
from services.sla_monitor.domain.policy import SlaPolicy, UnknownTerms
from services.sla_monitor.domain.terms import AppliedVersion, versions_of, with_version
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import DEFAULT_SECTIONS, agreement, minutes
from tests.services.sla_monitor.builders import (
    JOURNEY,
    PAUSABLE,
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
Policies = dict[str, Any]


def version(number: int, *policies: Policies, calendar: str = "office") -> SlaPolicy:
    """A version with these policies, in which the team works by this calendar."""
    routing = {**PAUSABLE, "teams": [{"id": "sales", "calendar": calendar}]}
    return SlaPolicy(number, agreement(sla=sla_section(*policies), routing=routing))


def applied(minute: float, number: int = 2, policy: str | None = None) -> AppliedVersion:
    return AppliedVersion(number, minutes_after_noon(minute), policy)


def clocks_of(
    history: Sequence[HandoffChanged], versions: Sequence[SlaPolicy], *applied: AppliedVersion
) -> dict[str, Clock]:
    derived = derive_clocks(history, {it.version: it for it in versions}, applied)
    return {f"{it.policy}/{it.hop}": it for it in derived}


def touch(
    target: str, at: float, *steps: HandoffChanged, calendar: str = "office", **fields: Any
) -> Clock:
    """The first touch within an hour, of which a version is applied that promises another time."""
    later = version(2, policy("touch", target=target, **fields), calendar=calendar)
    history = numbered(ASSIGNED, *steps)
    return clocks_of(history, [version(1, TOUCH), later], applied(at))["touch/1"]


@pytest.mark.parametrize(
    ("target", "at", "due"),
    [("2h", 30, 120), ("40m", 30, 40), ("1h", 30, 60), ("20m", 30, 30), ("30m", 30, 30)],
    ids=["later", "earlier", "same", "at once", "at this moment"],
)
def test_time_that_is_spent_stays_spent_and_nothing_is_due_in_the_past(
    target: str, at: float, due: float
) -> None:
    clock = touch(target, at)
    assert (clock.due_at, clock.applied_at) == (minutes_after_noon(due), minutes_after_noon(at))
    assert (clock.agreement_version, clock.started_at) == (2, minutes_after_noon(0))


@pytest.mark.parametrize("at", [60, 61])
def test_an_overdue_clock_keeps_its_version(at: float) -> None:
    clock = touch("2h", at)
    assert (clock.agreement_version, clock.due_at) == (1, minutes_after_noon(60))
    assert clock.applied_at is None


def test_hours_before_the_change_count_by_the_calendar_of_then() -> None:
    """The office closes at 17:00; from 18:00 on every hour counts."""
    clock = touch("10h", 0.5, calendar="always")
    assert clock.due_at == minutes_after_noon(600)
    slow = policy("touch", target="6h")
    history = numbered(ASSIGNED)
    versions = [version(1, slow), version(2, slow, calendar="always")]
    clock = clocks_of(history, versions, applied(360))["touch/1"]
    assert clock.due_at == minutes_after_noon(420)
    assert (clock.calendar, clock.target) == ("always", minutes(360))


def test_an_answer_before_the_change_ends_the_clock_under_its_old_version() -> None:
    clock = touch("10m", 30, step(Change.CONTACTED, 25))
    assert (clock.state, clock.agreement_version) == (State.MET, 1)


def test_an_answer_after_the_change_is_judged_by_the_new_version() -> None:
    late = touch("40m", 30, step(Change.CONTACTED, 45))
    assert (late.state, late.agreement_version) == (State.LATE, 2)
    met = touch("2h", 30, step(Change.CONTACTED, 90))
    assert (met.state, met.spent) == (State.MET, minutes(90))


def test_pauses_on_both_sides_of_the_change_count() -> None:
    clock = touch("2h", 40, paused(10), resumed(20), paused(35), resumed(50))
    assert (clock.due_at, clock.paused_for) == (minutes_after_noon(145), minutes(25))


def test_a_promise_asks_for_less_which_had_happened_before() -> None:
    six = policy("tries", kind="attempts", count=6, target="4h")
    two = policy("tries", kind="attempts", count=2, target="4h")
    tries = [step(Change.CONTACTED, it, attempt=True, reached=False) for it in (5, 10, 15)]
    history = numbered(ASSIGNED, *tries)
    clock = clocks_of(history, [version(1, six), version(2, two)], applied(30))["tries/1"]
    assert (clock.state, clock.ended_at) == (State.MET, minutes_after_noon(10))


@pytest.mark.parametrize(
    "later",
    [
        [],
        [policy("touch", when='tier == "enterprise"')],
        [policy("touch", kind="accept")],
        [policy("touch", scope="journey", anchor="qualified")],
    ],
    ids=["gone", "for others", "another kind", "another scope"],
)
@pytest.mark.parametrize("at", [30, 90], ids=["running", "overdue"])
def test_a_policy_that_ends_cancels_its_clocks(later: list[Policies], at: float) -> None:
    versions = [version(1, TOUCH), version(2, *later)]
    clock = clocks_of(numbered(ASSIGNED), versions, applied(at))["touch/1"]
    assert (clock.state, clock.ended_by) == (State.CANCELLED, "policy_ended")
    assert (clock.ended_at, clock.spent) == (minutes_after_noon(at), minutes(at))
    assert (clock.agreement_version, clock.due_at) == (1, minutes_after_noon(60))


def test_an_answer_before_its_policy_ended_is_kept() -> None:
    versions = [version(1, TOUCH), version(2)]
    for after, state in ((20, State.MET), (30, State.MET), (31, State.CANCELLED)):
        history = numbered(ASSIGNED, step(Change.CONTACTED, after))
        clock = clocks_of(history, versions, applied(30))["touch/1"]
        assert clock.state is state


def test_the_end_of_one_policy_leaves_the_others() -> None:
    versions = [version(1, TOUCH, JOURNEY), version(2, policy("journey", target="9h"))]
    clocks = clocks_of(numbered(ASSIGNED), versions, applied(30, policy="touch"))
    assert clocks["touch/1"].state is State.CANCELLED
    assert (clocks["journey/0"].agreement_version, clocks["journey/0"].target) == (1, minutes(120))


def test_a_new_policy_starts_no_clock_for_what_happened_before() -> None:
    versions = [version(1, TOUCH), version(2, TOUCH, policy("new"))]
    history = numbered(ASSIGNED, next_rep(50))
    clocks = clocks_of(history, versions, applied(30))
    assert sorted(clocks) == ["new/2", "touch/1", "touch/2"]
    assert {it.agreement_version for it in clocks.values()} == {2}


def test_a_clock_that_starts_later_counts_by_the_version_that_was_applied() -> None:
    accepted = policy("touch", anchor="accepted")
    shorter = policy("touch", anchor="accepted", target="30m")
    versions = [version(1, accepted), version(2, shorter)]
    history = numbered(ASSIGNED, step(Change.ACCEPTED, 40))
    clock = clocks_of(history, versions, applied(30))["touch/1"]
    assert (clock.due_at, clock.applied_at) == (minutes_after_noon(70), None)
    reported_late = clocks_of(history, versions, applied(50))["touch/1"]
    assert (reported_late.due_at, reported_late.applied_at) == (
        minutes_after_noon(70),
        minutes_after_noon(50),
    )


def test_a_clock_keeps_its_start_where_the_new_version_starts_it_by_another_change() -> None:
    clock = touch("2h", 30, anchor="accepted")
    assert (clock.started_at, clock.due_at) == (minutes_after_noon(0), minutes_after_noon(120))


def test_a_promise_after_a_win_is_not_ended_by_the_win() -> None:
    after_win = policy("after", kind="outcome", anchor="won")
    versions = [
        version(1, after_win),
        version(2, policy("after", kind="outcome", anchor="assigned", target="2h")),
    ]
    history = numbered(ASSIGNED, step(Change.WON, 10))
    clock = clocks_of(history, versions, applied(30))["after/1"]
    assert (clock.state, clock.due_at) == (State.RUNNING, minutes_after_noon(130))


def test_a_handoff_whose_team_the_version_does_not_have_keeps_its_version() -> None:
    routing = {**DEFAULT_SECTIONS["routing"], "teams": [{"id": "other", "calendar": "office"}]}
    routing["rules"] = [{"id": "everybody", "when": True, "team": "other"}]
    section = sla_section(policy("touch", target="2h"))
    without = SlaPolicy(2, agreement(sla=section, routing=routing))
    history = numbered(ASSIGNED)
    clock = clocks_of(history, [version(1, TOUCH), without], applied(30))["touch/1"]
    assert (clock.agreement_version, clock.due_at) == (1, minutes_after_noon(60))
    with pytest.raises(UnknownTerms, match="'sales'"):
        clocks_of([replace(history[0], agreement_version=2)], [without])


def test_several_versions_count_one_after_the_other() -> None:
    versions = [
        version(1, TOUCH),
        version(2, policy("touch", target="3h"), calendar="always"),
        version(3, policy("touch", target="4h")),
    ]
    history = numbered(ASSIGNED)
    steps = (applied(30), applied(100, 3))
    [(clock, terms)] = derive_with_terms(history, {it.version: it for it in versions}, steps)
    assert (clock.agreement_version, clock.due_at) == (3, minutes_after_noon(240))
    assert [(it.sla_policy.version, it.applied_at) for it in terms.all] == [
        (1, None),
        (2, minutes_after_noon(30)),
        (3, minutes_after_noon(100)),
    ]
    older = clocks_of(history, versions, applied(30, 3), applied(40, 2))["touch/1"]
    assert (older.agreement_version, older.applied_at) == (3, minutes_after_noon(30))


def test_a_version_is_applied_once_to_a_handoff() -> None:
    first = applied(30)
    assert with_version([first], applied(50)) == [first]
    assert with_version([first], applied(50, policy="touch")) == [
        first,
        applied(50, policy="touch"),
    ]
    assert versions_of([numbered(ASSIGNED)], [[first]]) == {1, 2}


@settings(max_examples=60)
@given(
    target=st.integers(1, 300),
    changed_target=st.integers(1, 300),
    at=st.integers(0, 299),
    pauses=st.lists(st.tuples(st.integers(0, 280), st.integers(1, 60)), max_size=3),
    answer=st.integers(0, 299),
)
def test_a_moved_clock_counts_like_a_stopwatch(
    target: int, changed_target: int, at: int, pauses: list[tuple[int, int]], answer: int
) -> None:
    """From noon to 17:00 each minute counts that is in no pause; the target is another one from `at` on."""
    reports = [it for since, length in pauses for it in [paused(since, length)]]
    steps = sorted([*reports, step(Change.CONTACTED, answer)], key=lambda it: it.occurred_at)
    versions = [
        version(1, policy("touch", target=f"{target}m")),
        version(2, policy("touch", target=f"{changed_target}m"), calendar="always"),
    ]
    expected = _stopwatch(target, changed_target, at, pauses)
    clock = clocks_of(numbered(ASSIGNED, *steps), versions, applied(at))["touch/1"]
    if answer > at:
        assert clock.due_at == minutes_after_noon(expected)
        assert clock.state is (State.MET if answer <= expected else State.LATE)


def _stopwatch(target: int, changed_target: int, at: int, pauses: list[tuple[int, int]]) -> int:
    """The minute at which the promise is due: the first in which so much has passed, not before it was changed."""
    paused_minutes: set[int] = set()
    until = -1
    for since, length in sorted(pauses, key=lambda it: (it[0], -it[1])):
        if since >= until:  # a pause within another one changes nothing
            until = since + length
            paused_minutes |= set(range(since, until))
    passed = 0
    for minute in range(2_000):
        if minute == at and passed < target:
            target = -1
        if target == -1 and minute >= at and passed >= changed_target:
            return minute
        if target != -1 and passed >= target:
            return minute
        passed += minute not in paused_minutes
    raise AssertionError


def test_the_order_of_arrival_does_not_matter() -> None:
    history = numbered(ASSIGNED, paused(10), resumed(20), step(Change.CONTACTED, 100))
    versions = [version(1, TOUCH), version(2, policy("touch", target="90m"))]
    expected = clocks_of(history, versions, applied(40))
    for order in permutations(history):
        ordered = sorted(order, key=lambda it: it.sequence)
        assert clocks_of(ordered, versions, applied(40)) == expected
    assert expected["touch/1"].due_at == minutes_after_noon(100)
    assert expected["touch/1"].state is State.MET
