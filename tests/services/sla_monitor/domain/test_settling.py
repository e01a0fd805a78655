"""What news does to clocks, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.sla_monitor.domain.clocks import Clock, State, fire
from services.sla_monitor.domain.histories import Terms, clocks_of
from services.sla_monitor.domain.settling import Settled, settle
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


def settled(
    known: Sequence[Clock], *steps: HandoffChanged, minute: float
) -> tuple[Clock, list[str]]:
    """The touch clock after the steps are known, and what is said."""
    clocks = list(derived_clocks(numbered(ASSIGNED, *steps), TOUCH).values())
    [it] = settle(known, clocks, now=minutes_after_noon(minute)) or [Settled(known[0], known[0])]
    assert it.after is not None
    return it.after, [said.change.value for said in it.said]


def running() -> Clock:
    return settled([], minute=0)[0]


def breached() -> Clock:
    return fire(running(), now=minutes_after_noon(61))[0]


def test_a_new_clock_is_said_to_have_started() -> None:
    clock, said = settled([], minute=0)
    assert (clock.state, said) == (State.RUNNING, ["started"])


def test_hearing_the_same_again_says_nothing() -> None:
    assert settled([running()], minute=1) == (running(), [])
    met, _ = settled([running()], step(Change.CONTACTED, 10), minute=10)
    assert settled([met], step(Change.CONTACTED, 10), minute=11) == (met, [])


def test_an_answer_in_time_is_met() -> None:
    clock, said = settled([running()], step(Change.CONTACTED, 60), minute=60)
    assert (clock.state, clock.breached_at, said) == (State.MET, None, ["met"])


def test_an_answer_in_time_of_which_the_news_comes_late_takes_the_breach_back() -> None:
    clock, said = settled([breached()], step(Change.CONTACTED, 59), minute=90)
    assert (clock.state, clock.breached_at, said) == (State.MET, None, ["retracted", "met"])
    assert (clock.detected_at, clock.retracted_at) == (
        minutes_after_noon(61),
        minutes_after_noon(90),
    )


def test_an_answer_too_late_keeps_the_breach_and_says_it_once() -> None:
    clock, said = settled([breached()], step(Change.CONTACTED, 62), minute=62)
    assert (clock.state, clock.breached_at, said) == (State.LATE, minutes_after_noon(60), [])


def test_an_answer_too_late_is_a_breach_even_if_no_sweep_saw_it() -> None:
    clock, said = settled([running()], step(Change.CONTACTED, 62), minute=62)
    assert (clock.breached_at, clock.detected_at, said) == (
        minutes_after_noon(60),
        minutes_after_noon(62),
        ["breached"],
    )


@pytest.mark.parametrize(
    ("known", "lost_after", "breached_at", "said"),
    [
        (running(), 10, None, []),
        (running(), 70, minutes_after_noon(60), ["breached"]),
        (breached(), 70, minutes_after_noon(60), []),
        (breached(), 59, None, ["retracted"]),
    ],
    ids=["in time", "unseen", "seen", "it had ended before it was due"],
)
def test_an_end_after_the_breach_does_not_undo_it(
    known: Clock, lost_after: float, breached_at: datetime | None, said: list[str]
) -> None:
    clock, handle_changes = settled([known], step(Change.LOST, lost_after), minute=90)
    assert (clock.state, clock.breached_at, handle_changes) == (State.CANCELLED, breached_at, said)


def test_a_breached_clock_that_goes_on_keeps_what_sweeps_found() -> None:
    known = breached()._replace(escalation_count=1)
    clock, said = settled([known], step(Change.DELIVERED, 62), minute=62)
    assert (clock, said) == (known, [])


@pytest.mark.parametrize("known", [running(), breached()], ids=["quietly", "taking a breach back"])
def test_a_clock_that_never_should_have_been_goes(known: Clock) -> None:
    [it] = settle([known], [], now=minutes_after_noon(90))
    assert (it.before, it.after) == (known, None)
    assert [said.change.value for said in it.said] == ["retracted"] * bool(known.breached_at)


# Any order, any duplication, sweeps at any time: in the end the same clocks.

ENDING = st.sampled_from([Change.LOST, Change.RETURNED, Change.WON])
ANSWER = st.sampled_from([Change.DELIVERED, Change.ACCEPTED, Change.CONTACTED])
POLICIES = (ACCEPT, TOUCH, JOURNEY, policy("taken", anchor="accepted", scope="journey"))
TERMS = {
    1: Terms(1, agreement_with(*POLICIES)),
    2: Terms(2, agreement_with(ACCEPT, policy("touch", target="30m"), policy("new", target="10m"))),
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
            it.end,
            it.breached_at,
            it.rep,
            it.escalation_steps,
        )
        for it in clocks.values()
    }


def run(
    batches: Sequence[tuple[Sequence[HandoffChanged], datetime]], *, until: datetime
) -> dict[object, Clock]:
    """Work through the batches as handler and sweep do, each at its time."""
    known: dict[int, HandoffChanged] = {}
    clocks: dict[object, Clock] = {}
    for batch, now in batches:
        known |= {it.sequence: it for it in batch}
        history = [known[number] for number in sorted(known)]
        for it in settle(list(clocks.values()), clocks_of(history, TERMS), now=now):
            if it.after is not None:
                clocks[it.after.id] = it.after
            elif it.before is not None:
                del clocks[it.before.id]
        clocks = {name: fire(clock, now=now)[0] for name, clock in clocks.items()}
    return {name: fire(clock, now=until)[0] for name, clock in clocks.items()}


@settings(max_examples=200, deadline=None)
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
