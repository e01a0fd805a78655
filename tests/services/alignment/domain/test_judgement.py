"""Promises to date: what is due, and what the verdict is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.judgement import Judgement, judge
from services.alignment.domain.measures import NOTHING, Figure
from services.alignment.domain.working_days import WorkingDays
from shared.agreement.model import Promise

A_QUARTER = WorkingDays(5, 20)
LEADS: dict[str, Any] = {"measure": "qualified", "per": "month", "at_least": 400}
QUALITY: dict[str, Any] = {"measure": "acceptance_rate", "at_least": 0.7}
SPEED: dict[str, Any] = {"measure": "handover_time", "p": 0.95, "at_most": "5m"}


def judged_as(
    promise: dict[str, Any], figure: Figure, *, has_begun: bool = True, is_over: bool = False
) -> Judgement:
    return judge(
        Promise.model_validate({"id": "it", **promise}),
        figure,
        A_QUARTER,
        has_begun=has_begun,
        is_over=is_over,
    )


@pytest.mark.parametrize(
    ("leads", "verdict"),
    [(0, "behind"), (99, "behind"), (100, "on_track"), (119, "on_track"), (120, "ahead")],
)
def test_a_number_is_due_in_proportion_to_working_days(leads: int, verdict: str) -> None:
    judgement = judged_as(LEADS, Figure(leads, "leads", leads))

    assert (judgement.verdict, judgement.due) == (verdict, 100)


@pytest.mark.parametrize(("leads", "verdict"), [(399, "missed"), (400, "met")])
def test_after_its_period_a_promise_is_met_or_missed(leads: int, verdict: str) -> None:
    assert judged_as(LEADS, Figure(leads, "leads", leads), is_over=True).verdict == verdict


@pytest.mark.parametrize(
    ("promise", "figure", "verdict"),
    [
        (QUALITY, Figure(0.7, "share", 10), "on_track"),
        (QUALITY, Figure(0.69, "share", 10), "behind"),
        (SPEED, Figure(300, "seconds", 10), "on_track"),
        (SPEED, Figure(301, "seconds", 10), "behind"),
    ],
)
def test_shares_and_times_are_due_in_full_from_the_first_day(
    promise: dict[str, Any], figure: Figure, verdict: str
) -> None:
    judgement = judged_as(promise, figure)

    assert judgement.verdict == verdict
    assert judgement.due in {0.7, 300}


@pytest.mark.parametrize("n", [0, 7, 9])
def test_too_few_are_not_judged(n: int) -> None:
    figure = Figure(1.0, "share", n) if n else Figure(None, "share", 0, NOTHING)

    assert judged_as(QUALITY, figure).why == f"too few ({n})"
    assert judged_as(QUALITY, figure, is_over=True).verdict == "too_few"
    assert judged_as({**QUALITY, "at_least_n": 7}, figure).verdict != "too_few" or n < 7


def test_what_is_not_known_is_not_judged() -> None:
    figure = Figure(None, "leads", 0, "nobody announces it")

    assert judged_as({**LEADS, "measure": "capacity"}, figure).verdict == "unknown"
    assert judged_as(QUALITY, figure, is_over=True).why == "nobody announces it"


@pytest.mark.parametrize(
    ("at_least", "is_over", "verdict"),
    [(400, False, "on_track"), (401, True, "met"), (399, False, "unknown"), (399, True, "unknown")],
)
def test_what_is_known_in_part_keeps_a_promise_that_it_suffices_for(
    at_least: float, verdict: str, *, is_over: bool
) -> None:
    figure = Figure(None, "leads", 60, "28 of 30 dates are announced", at_least)

    judgement = judged_as({**LEADS, "measure": "capacity"}, figure, is_over=is_over)

    assert (judgement.verdict, judgement.due) == (verdict, 400)
    assert judgement.why == "28 of 30 dates are announced"


def test_a_least_value_keeps_no_promise_of_the_most() -> None:
    assert judged_as(SPEED, Figure(None, "seconds", 60, "partly", 300)).verdict == "unknown"


def test_room_for_leads_is_due_in_full() -> None:
    judgement = judged_as({**LEADS, "measure": "capacity"}, Figure(399, "leads", 399))

    assert (judgement.verdict, judgement.due) == ("behind", 400)


def test_what_has_not_begun_is_not_judged() -> None:
    judgement = judged_as(LEADS, Figure(0, "leads", 0), has_begun=False)

    assert judgement.verdict == "not_begun"


ORDER = ["behind", "on_track", "ahead"]


@given(st.floats(0, 1_000), st.floats(0, 1_000))
def test_more_is_never_worse(first: float, second: float) -> None:
    low, high = sorted([first, second])
    verdicts = [judged_as(LEADS, Figure(it, "leads", 1)).verdict for it in (low, high)]

    assert ORDER.index(verdicts[0]) <= ORDER.index(verdicts[1])
