"""Times in steps: what is rounded, by how much, and which shares lie up to a time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.time_steps import (
    STEPS,
    is_on_step,
    nearest_rank,
    seconds_in_steps,
)
from tests.builders import days, minutes


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (timedelta(seconds=-3), 0),
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(seconds=119.5), 120),
        (timedelta(seconds=121), 125),
        (timedelta(seconds=601), 630),
        (timedelta(hours=1, microseconds=1), 3660),
        (timedelta(hours=6, seconds=1), 6 * 3600 + 300),
        (timedelta(days=1, seconds=1), 86_400 + 1800),
        (timedelta(days=8, seconds=1), 8 * 86_400 + 7200),
        (timedelta(days=30, seconds=1), 31 * 86_400),
    ],
)
def test_times_are_rounded_up_to_their_step(time: timedelta, seconds: int) -> None:
    assert seconds_in_steps(time) == seconds


@pytest.mark.parametrize(
    "target",
    [minutes(5), minutes(15), minutes(90), minutes(120), days(1), days(1.5), days(14), days(90)],
    ids=str,
)
@given(seconds=st.floats(0, 100 * 86_400))
def test_usual_targets_are_kept_by_rounded_times_as_by_exact_ones(
    target: timedelta, seconds: float
) -> None:
    time = timedelta(seconds=seconds)

    assert is_on_step(target)
    assert (timedelta(seconds=seconds_in_steps(time)) <= target) == (time <= target)


def test_a_target_between_two_steps_is_known() -> None:
    assert not is_on_step(timedelta(seconds=3.5))
    assert not is_on_step(days(30.5))


@given(st.timedeltas(timedelta(), days(1000)), st.timedeltas(timedelta(), days(1000)))
def test_rounding_keeps_the_order_of_times_and_adds_little(
    first: timedelta, second: timedelta
) -> None:
    shorter, longer = sorted((first, second))
    rounded = seconds_in_steps(shorter)

    assert rounded <= seconds_in_steps(longer)
    assert 0 <= rounded - shorter.total_seconds() < max(1, shorter.total_seconds() / 24)


def test_each_limit_is_a_multiple_of_its_own_step_and_of_the_next() -> None:
    following = [*(it.step_s for it in STEPS), 86_400][1:]

    assert [it.limit_s % it.step_s for it in STEPS] == [0] * len(STEPS)
    assert [it.limit_s % step for it, step in zip(STEPS, following, strict=True)] == [0] * len(
        STEPS
    )


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(0.01, 1))
def test_the_nearest_rank_has_its_share_up_to_it_and_less_before(
    times: list[int], p: float
) -> None:
    rank = nearest_rank(Counter(times), p)

    assert rank is not None
    assert sum(it <= rank for it in times) >= p * len(times) - 1e-9
    assert sum(it < rank for it in times) < p * len(times)


def test_nothing_has_no_rank() -> None:
    assert nearest_rank({}, 0.5) is None
