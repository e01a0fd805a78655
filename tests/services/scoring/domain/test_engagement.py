"""Decay, bounds, and the instant at which a lead falls below a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.engagement import engagement, falls_below, worth
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import Profile, extend_profile
from services.scoring.domain.score import Score
from services.scoring.domain.score import grade as graded
from tests.builders import NOON, agreement, days, marketing_event


def policy_with(*signals: dict[str, Any], **groups: Any) -> ScoringPolicy:
    """A policy with these signals, on events of type `a` unless a signal names another."""
    rules = [{"id": f"s{at}", "on": "a", "half_life": "1d", **it} for at, it in enumerate(signals)]
    return ScoringPolicy(1, agreement(scoring={"signals": rules, "groups": groups}))


def score(policy: ScoringPolicy, ages: Sequence[timedelta]) -> Score:
    """The engagement at noon of events with these ages."""
    events = [marketing_event("a", time=NOON - age) for age in ages]
    profile = extend_profile(Profile(), events, policy, now=NOON)
    return engagement(profile.signals, policy.weights, NOON)


@pytest.mark.parametrize(
    ("signal", "ages", "points"),
    [
        ({"points": 8}, [0], 8),
        ({"points": 8}, [1], 4),
        ({"points": 8}, [0, 1, 2], 14),
        ({"points": 8, "half_life": "never"}, [0, 100], 16),
        ({"points": 8, "daily_max": 12}, [0, 0, 0], 12),
        ({"points": 8, "daily_max": 12}, [0, 1, 1], 14),
        ({"points": 8, "max": 10}, [0, 0], 10),
        ({"points": 80}, [0, 0], 100),
        ({"points": -8}, [0], 0),
        ({"points": 8, "half_life": "1s"}, [0, 30], 8),
    ],
    ids=[
        "fresh", "halved", "several", "never", "daily-max", "daily-max-a-day", "max",
        "hundred", "never-below-0", "very-short",
    ],
)  # fmt: skip
def test_points_halve_with_age_within_their_bounds(
    signal: dict[str, Any], ages: list[int], points: float
) -> None:
    engagement = score(policy_with(signal), [days(age) for age in ages])

    assert engagement.value == pytest.approx(points, abs=1e-9)
    assert sum(part.points for part in engagement.parts) == pytest.approx(
        engagement.value, abs=1e-9
    )


def test_a_group_is_bounded_and_says_what_that_took() -> None:
    engagement = score(
        policy_with({"points": 10, "group": "g"}, {"points": 10, "group": "g"}, g={"max": 15}),
        [days(0)],
    )

    assert [(part.rule, part.points) for part in engagement.parts] == [
        ("s0", 10.0),
        ("s1", 10.0),
        ("group:g", -5.0),
    ]
    assert engagement.value == 15.0


def test_points_that_are_taken_count_against_those_that_are_given() -> None:
    assert (
        score(policy_with({"points": 10}, {"points": -4, "daily_max": 3}), [days(0)]).value == 7.0
    )


def test_the_instant_of_falling_is_found_to_the_second() -> None:
    policy = policy_with({"points": 40})
    events = [marketing_event("a", time=NOON)]
    signals = extend_profile(Profile(), events, policy, now=NOON).signals
    weights = policy.weights

    at = falls_below(10, signals, weights, now=NOON)

    assert at is not None
    assert timedelta(0) < at - (NOON + days(2)) <= timedelta(seconds=1)
    assert engagement(signals, weights, at).value < 10
    assert falls_below(0, signals, weights, now=NOON) is None


@given(
    st.lists(
        st.tuples(
            st.floats(-50, 80).filter(bool),
            st.integers(1, 2_000),
            st.integers(0, 90),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.floats(0.1, 90),
)
def test_it_falls_below_the_line_there_and_had_not_a_second_before(
    signal_fields: list[tuple[float, int, int, bool]], line: float
) -> None:
    policy = ScoringPolicy(
        1,
        agreement(
            scoring={
                "signals": [
                    {"id": f"s{at}", "on": f"a{at}", "points": points, "half_life": f"{hours}h"}
                    | ({"group": "g", "max": 70} if bounded else {"daily_max": 60})
                    for at, (points, hours, _, bounded) in enumerate(signal_fields)
                ],
                "groups": {"g": {"max": 75}},
            }
        ),
    )
    events = [
        marketing_event(f"a{at}", time=NOON - days(age))
        for at, (_, _, age, _) in enumerate(signal_fields)
    ]
    signals = extend_profile(Profile(), events, policy, now=NOON).signals
    weights = policy.weights

    at = falls_below(line, signals, weights, now=NOON)

    assert at is not None
    assert worth(signals, weights, at) == pytest.approx(engagement(signals, weights, at).value)
    assert worth(signals, weights, at) < line + 1e-9
    if at - NOON > timedelta(seconds=1):
        assert worth(signals, weights, at - timedelta(seconds=1)) >= line - 1e-9


def test_what_the_agreement_no_longer_names_weighs_nothing() -> None:
    signals = {"forgotten": {"*": (50.0, 50.0, NOON.timestamp())}}
    weights = policy_with({"points": 4}).weights

    assert worth(signals, weights, NOON) == 0
    assert falls_below(10, signals, weights, now=NOON) is not None


def test_a_line_that_is_not_reached_is_fallen_below_at_once() -> None:
    policy = policy_with({"points": 4})
    signals = extend_profile(Profile(), [marketing_event("a")], policy, now=NOON).signals

    at = falls_below(10, signals, policy.weights, now=NOON)

    assert at is not None
    assert at - NOON <= timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fit", "engaged", "grade"), [(75, 75, "A1"), (74, 74, "B2"), (25, 49, "C3"), (0, 0, "D4")]
)
def test_a_grade_is_a_letter_of_fit_and_a_digit_of_engagement(
    fit: float, engaged: float, grade: str
) -> None:
    assert graded(fit, engaged, agreement().scoring.grades) == grade


def test_a_faded_event_still_shares_its_days_bound_with_a_later_one() -> None:
    policy = policy_with({"points": 3, "daily_max": 4, "half_life": "1m"})
    ages = [timedelta(days=1), timedelta(hours=1, seconds=1), timedelta()]
    profile = Profile()
    for age in ages:
        profile = extend_profile(profile, [marketing_event("a", time=NOON - age)], policy, now=NOON)

    assert engagement(profile.signals, policy.weights, NOON) == score(policy, ages)
