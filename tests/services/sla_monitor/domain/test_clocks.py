"""What fires on a clock."""

from __future__ import annotations

from services.sla_monitor.domain.clocks import Clock, End, State, fire
from shared.contracts.payloads import Change, ClockChange
from tests.builders import minutes
from tests.services.sla_monitor.builders import derived_clocks, minutes_after_noon, policy, step

LADDER = [{"notify": "team"}, {"after": "10m", "notify": "ops"}, {"after": "20m", "notify": "team"}]
CLOCK = derived_clocks([step(Change.ASSIGNED)], policy("touch", ladder=LADDER))["touch/1"]


def told(clock: Clock, minute: float) -> list[tuple[str, float, str | None]]:
    _, said = fire(clock, now=minutes_after_noon(minute))
    return [
        (it.change.value, (it.occurred_at - minutes_after_noon(0)) / minutes(1), it.step)
        for it in said
    ]


def test_nothing_fires_early() -> None:
    assert CLOCK.fire_at == minutes_after_noon(48)
    assert fire(CLOCK, now=minutes_after_noon(47)) == (CLOCK, [])


def test_the_warning_fires_once_at_its_part_of_the_target() -> None:
    warned, [said] = fire(CLOCK, now=minutes_after_noon(50))
    assert (said.change, said.occurred_at) == (ClockChange.AT_RISK, minutes_after_noon(48))
    assert warned.fire_at == CLOCK.due_at
    assert fire(warned, now=minutes_after_noon(55)) == (warned, [])


def test_a_breach_happened_when_it_was_due_however_late_it_is_found() -> None:
    broken, [said] = fire(CLOCK, now=minutes_after_noon(65))
    assert (broken.breached_at, broken.detected_at) == (
        minutes_after_noon(60),
        minutes_after_noon(65),
    )
    assert (said.change, said.occurred_at, said.id) == (
        ClockChange.BREACHED,
        minutes_after_noon(60),
        f"{CLOCK.id}/breached",
    )
    assert broken.fire_at == minutes_after_noon(70)


def test_after_downtime_everything_due_is_said_at_once_and_no_warning() -> None:
    assert told(CLOCK, 500) == [
        ("breached", 60, None),
        ("escalated", 70, "ops"),
        ("escalated", 80, "team"),
    ]
    done, said = fire(CLOCK, now=minutes_after_noon(500))
    assert done.fire_at is None
    assert [it.id for it in said[1:]] == [f"{CLOCK.id}/escalated/1", f"{CLOCK.id}/escalated/2"]


def test_nothing_fires_on_a_clock_that_has_ended() -> None:
    ended = CLOCK._replace(
        state=State.MET, end=End(minutes_after_noon(10), "contacted", minutes(10))
    )
    assert ended.fire_at is None
    assert fire(ended, now=minutes_after_noon(500)) == (ended, [])
