"""The steps of ladders: when they are due, and that each is taken once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.sla_monitor.domain.clocks import Clock, EscalationStep, State, Transition, fire
from shared.contracts.payloads import Change, ClockChange
from tests.services.sla_monitor.builders import (
    derived_clocks,
    ended,
    minutes_after_noon,
    policy,
    step,
)

LADDER = [
    {"before": "30m", "notify": "rep"},
    {"before": "6m", "notify": "lead", "quiet_hours": "wait"},
    {"notify": "team"},
    {"after": "10m", "notify": "ops"},
]


def clock_of(ladder: list[dict[str, Any]]) -> Clock:
    """A clock of noon, due an hour later, with this ladder."""
    return derived_clocks([step(Change.ASSIGNED)], policy("touch", ladder=ladder))["touch/1"]


CLOCK = clock_of(LADDER)


def fired_at(clock: Clock, *minutes: float) -> tuple[Clock, list[Transition]]:
    """The clock after a sweep at each of these minutes after noon, and all transitions."""
    transitions = []
    for minute in minutes:
        clock, fired = fire(clock, now=minutes_after_noon(minute))
        transitions += fired
    return clock, transitions


def _waits(transition: Transition) -> bool:
    step = transition.escalation_step
    return step is not None and step.waits


def test_steps_are_instants_in_working_hours() -> None:
    assert CLOCK.escalation_steps == (
        EscalationStep(minutes_after_noon(30), "rep"),
        EscalationStep(minutes_after_noon(54), "lead", waits=True),
        EscalationStep(minutes_after_noon(60), "team"),
        EscalationStep(minutes_after_noon(70), "ops"),
    )


def test_steps_and_the_warning_fire_in_the_order_of_time() -> None:
    fired, transitions = fired_at(CLOCK, *range(100))

    assert [(it.change.value, it.occurred_at, it.step, _waits(it)) for it in transitions] == [
        ("escalated", minutes_after_noon(30), "rep", False),
        ("at_risk", minutes_after_noon(48), None, False),
        ("escalated", minutes_after_noon(54), "lead", True),
        ("breached", minutes_after_noon(60), "team", False),
        ("escalated", minutes_after_noon(70), "ops", False),
    ]
    assert fired.fire_at is None


def test_a_step_that_is_due_with_the_warning_follows_it() -> None:
    clock = clock_of([{"before": "12m", "notify": "rep"}])

    _, transitions = fired_at(clock, 50)

    assert [it.change for it in transitions] == [ClockChange.AT_RISK, ClockChange.ESCALATED]


def test_steps_before_a_breach_that_was_detected_late_are_left_out() -> None:
    _, transitions = fired_at(CLOCK, 40, 90)

    assert [(it.change.value, it.step) for it in transitions] == [
        ("escalated", "rep"),
        ("breached", "team"),
        ("escalated", "ops"),
    ]


def test_a_step_that_sets_the_rep_unavailable_says_for_how_long() -> None:
    clock = clock_of([{"after": "1h", "do": "set_unavailable", "for": "1d"}])

    assert clock.escalation_steps == (
        EscalationStep(minutes_after_noon(120), "set_unavailable", lasts_s=86_400),
    )


def test_a_breach_without_a_step_at_once_notifies_nobody() -> None:
    for ladder in ([], [{"before": "5m", "notify": "team"}], [{"after": "5m", "notify": "team"}]):
        _, [transition, *_] = fired_at(clock_of(ladder), 90)

        assert (transition.change, transition.step) == (ClockChange.BREACHED, "none")


def test_no_step_is_taken_on_a_clock_that_was_met() -> None:
    met = ended(CLOCK, State.MET, 10, by="contacted")

    assert fired_at(met, 31, 90)[1] == []


OFFSETS = st.lists(
    st.tuples(
        st.sampled_from(["before", "after"]),
        st.integers(1, 59),
        st.sampled_from(["rep", "lead", "team", "ops"]),
    ),
    max_size=20,
)
SWEEPS = st.lists(st.floats(0, 200), max_size=20).map(sorted)


@given(OFFSETS, SWEEPS)
def test_each_step_is_taken_at_most_once_and_every_later_one_in_the_end(
    offsets: list[tuple[str, int, str]], sweeps: list[float]
) -> None:
    ladder = [{side: f"{length}m", "notify": notify} for side, length, notify in offsets]
    clock = clock_of(ladder)

    after, transitions = fired_at(clock, *sweeps, 300)

    escalated = [it for it in transitions if it.change is ClockChange.ESCALATED]
    assert len({it.id for it in escalated}) == len(escalated)
    assert [it.occurred_at for it in escalated] == sorted(it.occurred_at for it in escalated)
    assert sum(it.change is ClockChange.BREACHED for it in transitions) == 1
    assert after.fire_at is None
    later = [it for it in clock.escalation_steps if it.at > clock.due_at]
    assert [(it.occurred_at, it.step) for it in escalated if it.occurred_at > clock.due_at] == [
        (it.at, it.step) for it in later
    ]
    in_time = [it.occurred_at for it in escalated if it.occurred_at < clock.due_at]
    swept = [minutes_after_noon(it) for it in sweeps]
    assert all(any(at <= it < clock.due_at for it in swept) for at in in_time)
