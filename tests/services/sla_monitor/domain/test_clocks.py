"""The transitions that fire on a clock as time passes."""

from __future__ import annotations

from services.sla_monitor.domain.clocks import State, fire
from shared.contracts.payloads import Change, ClockChange
from tests.services.sla_monitor.builders import (
    derived_clocks,
    ended,
    minutes_after_noon,
    policy,
    step,
)

STEPS = [{"notify": "team"}, {"after": "10m", "notify": "ops"}, {"after": "20m", "notify": "team"}]
CLOCK = derived_clocks([step(Change.ASSIGNED)], policy("touch", ladder=STEPS))["touch/1"]


def test_nothing_fires_early() -> None:
    assert CLOCK.fire_at == minutes_after_noon(48)
    assert fire(CLOCK, now=minutes_after_noon(47)) == (CLOCK, [])


def test_the_warning_fires_once_at_the_agreed_part_of_the_target() -> None:
    warned, [transition] = fire(CLOCK, now=minutes_after_noon(50))
    assert (transition.change, transition.occurred_at) == (
        ClockChange.AT_RISK,
        minutes_after_noon(48),
    )
    assert warned.fire_at == CLOCK.due_at
    assert fire(warned, now=minutes_after_noon(55)) == (warned, [])


def test_a_breach_occurs_when_the_clock_was_due_however_late_that_is_detected() -> None:
    broken, [transition] = fire(CLOCK, now=minutes_after_noon(65))
    assert (broken.breached_at, broken.detected_at) == (
        minutes_after_noon(60),
        minutes_after_noon(65),
    )
    assert (transition.change, transition.occurred_at, transition.id) == (
        ClockChange.BREACHED,
        minutes_after_noon(60),
        f"{CLOCK.id}/breached",
    )
    assert broken.fire_at == minutes_after_noon(70)


def test_a_breach_without_a_ladder_is_announced_and_nothing_follows() -> None:
    clock = derived_clocks([step(Change.ASSIGNED)], policy("touch", ladder=[]))["touch/1"]

    broken, transitions = fire(clock, now=minutes_after_noon(500))

    assert [it.change for it in transitions] == [ClockChange.BREACHED]
    assert broken.fire_at is None


def test_after_downtime_everything_due_fires_at_once_without_a_warning() -> None:
    fired, transitions = fire(CLOCK, now=minutes_after_noon(500))
    assert [(it.change.value, it.occurred_at, it.step) for it in transitions] == [
        ("breached", minutes_after_noon(60), "team"),
        ("escalated", minutes_after_noon(70), "ops"),
        ("escalated", minutes_after_noon(80), "team"),
    ]
    assert fired.fire_at is None
    assert [it.id for it in transitions[1:]] == [
        f"{CLOCK.id}/escalated/2",
        f"{CLOCK.id}/escalated/3",
    ]


def test_nothing_fires_on_a_clock_that_has_ended() -> None:
    met = ended(CLOCK, State.MET, 10, by="contacted")
    assert met.fire_at is None
    assert fire(met, now=minutes_after_noon(500)) == (met, [])
