"""Explanations of clocks: the counted intervals and their sums."""

from __future__ import annotations

from datetime import timedelta

from services.sla_monitor.domain.explanations import explain
from shared.agreement.model import Calendar
from shared.calendar import compile_calendar
from shared.contracts.payloads import Change
from tests.builders import minutes
from tests.services.sla_monitor.builders import (
    TOUCH,
    WEEKDAY_CALENDAR,
    derived_clocks,
    minutes_after_noon,
    numbered,
    policy,
    step,
)

CALENDAR = compile_calendar(Calendar.model_validate(WEEKDAY_CALENDAR))


def test_the_intervals_make_the_target() -> None:
    clock = derived_clocks([step(Change.ASSIGNED)], policy("touch", target="6h"))["touch/1"]
    explanation = explain(clock, CALENDAR, now=minutes_after_noon(30))
    assert [it.seconds / 3600 for it in explanation.intervals] == [5, 1]
    assert (explanation.spent, explanation.overdue, explanation.zone) == (
        minutes(30),
        timedelta(0),
        "UTC",
    )


def test_an_ended_clock_has_spent_what_it_had_when_it_ended() -> None:
    clock = derived_clocks(numbered(step(Change.ASSIGNED), step(Change.CONTACTED, 70)), TOUCH)[
        "touch/1"
    ]
    explanation = explain(clock, CALENDAR, now=minutes_after_noon(500))
    assert (explanation.spent, explanation.overdue) == (minutes(70), minutes(10))
