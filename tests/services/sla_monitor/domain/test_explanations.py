"""Explanations of clocks: the counted intervals and their sums."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.sla_monitor.domain.explanations import MAX_INTERVALS, explain, outcome
from shared.agreement.model import Calendar
from shared.calendar import compile_calendar
from shared.contracts.payloads import Change, HandoffChanged
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


@pytest.mark.parametrize(
    ("steps", "now", "words"),
    [
        ([], 10, "running"),
        ([], 60, "overdue"),
        ([step(Change.CONTACTED, 10)], 20, "met"),
        ([step(Change.CONTACTED, 10, recorded_at=minutes_after_noon(10.5))], 20, "met"),
        (
            [step(Change.CONTACTED, 10, recorded_at=minutes_after_noon(40))],
            50,
            "met, reported 30 min later",
        ),
        (
            [step(Change.CONTACTED, 10, recorded_at=minutes_after_noon(250))],
            260,
            "met, reported 4 h later",
        ),
        (
            [step(Change.CONTACTED, 10, recorded_at=minutes_after_noon(1600))],
            1700,
            "met, reported 1 d 2 h later",
        ),
        (
            [step(Change.CONTACTED, 70, recorded_at=minutes_after_noon(135))],
            140,
            "late, reported 1 h 5 min later",
        ),
        ([step(Change.LOST, 10)], 20, "cancelled"),
    ],
    ids=["running", "overdue", "met", "seconds", "minutes", "hours", "days", "late", "cancelled"],
)
def test_the_outcome_says_how_much_later_it_was_reported(
    steps: list[HandoffChanged], now: float, words: str
) -> None:
    clock = derived_clocks(numbered(step(Change.ASSIGNED), *steps), TOUCH)["touch/1"]

    assert outcome(clock, now=minutes_after_noon(now)) == words


def test_an_ended_clock_has_spent_what_it_had_when_it_ended() -> None:
    clock = derived_clocks(numbered(step(Change.ASSIGNED), step(Change.CONTACTED, 70)), TOUCH)[
        "touch/1"
    ]
    explanation = explain(clock, CALENDAR, now=minutes_after_noon(500))
    assert (explanation.spent, explanation.overdue) == (minutes(70), minutes(10))
    assert [it.seconds for it in explanation.overdue_intervals] == [600]


def test_the_hours_after_the_due_time_are_explained_for_a_year_at_most() -> None:
    clock = derived_clocks([step(Change.ASSIGNED)], TOUCH)["touch/1"]
    explanation = explain(clock, CALENDAR, now=minutes_after_noon(3 * 365 * 24 * 60))
    assert len(explanation.overdue_intervals) == MAX_INTERVALS
    assert explain(clock, CALENDAR, now=minutes_after_noon(30)).overdue_intervals == ()
