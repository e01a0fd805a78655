"""Bounds answer as CEL does, or leave it to CEL."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agreement.cel.comparisons import bounds_of, within
from shared.agreement.cel.compile import program
from shared.agreement.cel.condition import Condition

NUMBERS = st.sampled_from([5.0, 5.5, 45.0, -3.0, 0.1, 35.0, nan, -0.0, 1e300, None, 5, "hot", True])
SIGNS = st.sampled_from([">", ">=", "<", "<="])
CONSTANTS = st.sampled_from(["5", "5.5", "-3", "045", "0.10", "35", "999999999999999", "-0"])
BOUNDS = st.tuples(st.sampled_from(["fit", "engagement"]), SIGNS, CONSTANTS)


@given(st.lists(BOUNDS, min_size=1, max_size=3), NUMBERS, NUMBERS)
def test_a_condition_of_bounds_holds_as_cel_says(
    bounds: list[tuple[str, str, str]], fit: Any, engagement: Any
) -> None:
    source = "&&".join(f" {name}{sign}\t{constant}\n" for name, sign, constant in bounds)
    facts = {"fit": fit, "engagement": engagement}

    assert bounds_of(source) is not None
    assert Condition(source).holds(facts) is (program(source).eval(data=facts).value() is True)


@pytest.mark.parametrize(
    "source",
    [
        "fit >= 45 || engagement >= 35",
        "(fit >= 45)",
        "fit >= 45.",
        "fit >= 45u",
        "fit >= 0x2D",
        "fit == 45",
        "45 <= fit",
        "fit >= engagement",
        "lead.employees >= 45",
        "fit >= 9999999999999999",
        "fit >= 45 && hand_raised",
        "true",
    ],
)
def test_everything_else_is_left_to_cel(source: str) -> None:
    assert bounds_of(source) is None


def test_a_comment_is_no_bound() -> None:
    assert bounds_of("fit >= 45 // && engagement >= 35") == bounds_of("fit >= 45")


def test_what_is_no_fraction_is_left_to_cel() -> None:
    bounds = bounds_of("fit >= 45")

    assert bounds is not None
    assert within(bounds, {"fit": 45}) is None
    assert within(bounds, {}) is None
    assert within(bounds, {"fit": 45.0}) is True
    assert within(bounds, {"fit": 44.9}) is False
