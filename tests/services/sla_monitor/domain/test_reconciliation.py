"""What changes do to stored clocks, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.sla_monitor.domain.clocks import Clock, State, fire
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.reconciliation import ClockUpdate, reconcile
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import NOON, minutes
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    agreement_with,
    derived_clocks,
    minutes_after_noon,
    numbered,
    policy,
    step,
)

ASSIGNED = step(Change.ASSIGNED)


def reconciled(
    stored: Sequence[Clock], *steps: HandoffChanged, minute: float
) -> tuple[Clock, list[str]]:
    """The touch clock once the steps are known, and the changes that are announced."""
    clocks = list(derived_clocks(numbered(ASSIGNED, *steps), TOUCH).values())
    updates = reconcile(stored, clocks, now=minutes_after_noon(minute))
    [update] = updates or [ClockUpdate(stored[0], stored[0])]
    assert update.after is not None
    return update.after, [transition.change.value for transition in update.transitions]


def running() -> Clock:
    return reconciled([], minute=0)[0]


def breached() -> Clock:
    return fire(running(), now=minutes_after_noon(61))[0]


def test_a_new_clock_is_announced_as_started() -> None:
    clock, announced = reconciled([], minute=0)
    assert (clock.state, announced) == (State.RUNNING, ["started"])


def test_the_same_changes_again_announce_nothing() -> None:
    assert reconciled([running()], minute=1) == (running(), [])
    met, _ = reconciled([running()], step(Change.CONTACTED, 10), minute=10)
    assert reconciled([met], step(Change.CONTACTED, 10), minute=11) == (met, [])


def test_an_answer_in_time_is_met() -> None:
    clock, announced = reconciled([running()], step(Change.CONTACTED, 60), minute=60)
    assert (clock.state, clock.breached_at, announced) == (State.MET, None, ["met"])


def test_an_answer_in_time_that_arrives_late_retracts_the_breach() -> None:
    clock, announced = reconciled([breached()], step(Change.CONTACTED, 59), minute=90)
    assert (clock.state, clock.breached_at, announced) == (State.MET, None, ["retracted", "met"])
    assert (clock.detected_at, clock.retracted_at) == (
        minutes_after_noon(61),
        minutes_after_noon(90),
    )


def test_an_answer_too_late_keeps_the_breach_and_announces_it_once() -> None:
    clock, announced = reconciled([breached()], step(Change.CONTACTED, 62), minute=62)
    assert (clock.state, clock.breached_at, announced) == (State.LATE, minutes_after_noon(60), [])


def test_an_answer_too_late_is_a_breach_even_if_no_sweep_detected_it() -> None:
    clock, announced = reconciled([running()], step(Change.CONTACTED, 62), minute=62)
    assert (clock.breached_at, clock.detected_at, announced) == (
        minutes_after_noon(60),
        minutes_after_noon(62),
        ["breached"],
    )


@pytest.mark.parametrize(
    ("stored", "lost_after", "breached_at", "expected"),
    [
        (running(), 10, None, []),
        (running(), 70, minutes_after_noon(60), ["breached"]),
        (breached(), 70, minutes_after_noon(60), []),
        (breached(), 59, None, ["retracted"]),
    ],
    ids=["in time", "unseen", "seen", "it had ended before it was due"],
)
def test_an_end_after_the_breach_does_not_undo_it(
    stored: Clock, lost_after: float, breached_at: datetime | None, expected: list[str]
) -> None:
    clock, announced = reconciled([stored], step(Change.LOST, lost_after), minute=90)
    assert (clock.state, clock.breached_at, announced) == (State.CANCELLED, breached_at, expected)


def test_a_breached_clock_that_goes_on_keeps_what_sweeps_detected() -> None:
    stored = breached()._replace(escalation_count=1)
    clock, announced = reconciled([stored], step(Change.DELIVERED, 62), minute=62)
    assert (clock, announced) == (stored, [])


@pytest.mark.parametrize("stored", [running(), breached()], ids=["running", "breached"])
def test_a_clock_that_never_should_have_started_is_removed(stored: Clock) -> None:
    [update] = reconcile([stored], [], now=minutes_after_noon(90))
    assert (update.before, update.after) == (stored, None)
    announced = [transition.change.value for transition in update.transitions]
    assert announced == ["retracted"] * bool(stored.breached_at)


def test_a_met_promise_that_ended_before_its_answer_is_taken_back() -> None:
    met, _ = reconciled([running()], step(Change.CONTACTED, 20), minute=21)
    assert met.state is State.MET
    returned = step(Change.RETURNED, 10, rep=None)
    clock, announced = reconciled([met], step(Change.CONTACTED, 20), returned, minute=30)
    assert (clock.state, announced) == (State.CANCELLED, ["retracted"])


def test_a_met_clock_that_never_should_have_started_is_taken_back() -> None:
    met, _ = reconciled([running()], step(Change.CONTACTED, 20), minute=21)
    [update] = reconcile([met], [], now=minutes_after_noon(90))
    assert [it.change.value for it in update.transitions] == ["retracted"]


# Any order, any duplication, sweeps at any time: in the end the same clocks.

ENDING = st.sampled_from([Change.LOST, Change.RETURNED, Change.WON])
ANSWER = st.sampled_from([Change.DELIVERED, Change.ACCEPTED, Change.CONTACTED])
POLICIES = (ACCEPT, TOUCH, JOURNEY, policy("talk", anchor="accepted", scope="journey"))
POLICY_VERSIONS = {
    1: SlaPolicy(1, agreement_with(*POLICIES)),
    2: SlaPolicy(
        2, agreement_with(ACCEPT, policy("touch", target="30m"), policy("new", target="10m"))
    ),
}


@st.composite
def histories(draw: st.DrawFn) -> list[HandoffChanged]:
    """A handoff that goes through up to three reps, each of whom may answer, and then may end."""
    steps = [step(Change.WAITING, rep=None, hop=0)] if draw(st.booleans()) else []
    after = 0
    for hop in range(1, draw(st.integers(1, 3)) + 1):
        after += draw(st.integers(0, 60))
        change = Change.ASSIGNED if hop == 1 else Change.REASSIGNED
        who: dict[str, Any] = {
            "hop": hop,
            "rep": f"rep{hop}",
            "assigned_at": minutes_after_noon(after),
        }
        steps.append(step(change, after, **who))
        answers = draw(st.lists(st.tuples(ANSWER, st.integers(0, 90)), max_size=2))
        steps += [step(answer, after + minute, **who) for answer, minute in answers]
    if draw(st.booleans()):
        steps.append(step(draw(ENDING), after + draw(st.integers(0, 200)), **who))
    turn = draw(st.integers(1, len(steps)))
    return [
        replace(it, agreement_version=1 if it.sequence <= turn else 2) for it in numbered(*steps)
    ]


def outcome(clocks: dict[object, Clock]) -> set[tuple[object, ...]]:
    return {
        (
            it.id,
            it.state,
            it.started_at,
            it.due_at,
            it.ended_at,
            it.ended_by,
            it.spent,
            it.breached_at,
            it.rep,
            it.escalation_steps,
        )
        for it in clocks.values()
    }


def run(
    batches: Sequence[tuple[Sequence[HandoffChanged], datetime]], *, until: datetime
) -> dict[object, Clock]:
    """The clocks after the batches, each handled and swept at its time, and a sweep at the end."""
    known: dict[int, HandoffChanged] = {}
    clocks: dict[object, Clock] = {}
    for batch, now in batches:
        known |= {it.sequence: it for it in batch}
        history = [known[number] for number in sorted(known)]
        derived = derive_clocks(history, POLICY_VERSIONS)
        for before, after, _ in reconcile(list(clocks.values()), derived, now=now):
            if after is not None:
                clocks[after.id] = after
            elif before is not None:
                del clocks[before.id]
        clocks = {name: fire(clock, now=now)[0] for name, clock in clocks.items()}
    return {name: fire(clock, now=until)[0] for name, clock in clocks.items()}


@settings(max_examples=200)
@given(st.data())
def test_order_duplicates_and_sweeps_do_not_change_what_became_of_the_clocks(
    data: st.DataObject,
) -> None:
    history = data.draw(histories())
    late = NOON + minutes(600)
    again = data.draw(st.lists(st.sampled_from(history), max_size=5))
    shuffled = data.draw(st.permutations([*history, *again]))
    times = sorted(data.draw(st.integers(0, 400)) for _ in shuffled)
    batches = [([it], minutes_after_noon(at)) for it, at in zip(shuffled, times, strict=True)]

    in_order = run([([it], max(it.occurred_at, NOON)) for it in history], until=late)

    assert outcome(run(batches, until=late)) == outcome(in_order)
    assert outcome(run([(history, late)], until=late)) == outcome(in_order)
