"""A number with the parts that explain it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from shared.agreement.model import Grades


@dataclass(frozen=True, slots=True)
class Part:
    """The points that one rule, or one bound, gave or took."""

    rule: str
    label: str
    points: float


@dataclass(frozen=True, slots=True)
class Score:
    """A value from 0 to 100, and the parts that sum to it."""

    value: float
    parts: tuple[Part, ...] = ()


def clamped(points: float, bound: float | None) -> float:
    """Points of either sign, no further from 0 than the bound."""
    return points if bound is None else min(max(points, -bound), bound)


def bounded(parts: Sequence[Part], *, rule: str) -> Score:
    """The sum of the parts, bounded by 0 and 100; another part has the points that the bound gave or took."""
    total = fsum(part.points for part in parts)
    value = min(max(total, 0.0), 100.0)
    if value == total:
        return Score(value, tuple(parts))
    return Score(value, (*parts, Part(rule, "never below 0 or above 100", value - total)))


def grade(fit: float, engagement: float, grades: Grades) -> str:
    """A to D for fit and 1 to 4 for engagement, such as B2."""
    return f"{'ABCD'[_below(grades.fit, fit)]}{'1234'[_below(grades.engagement, engagement)]}"


def _below(bounds: tuple[float, float, float], value: float) -> int:
    first, second, third = bounds
    return (value < first) + (value < second) + (value < third)
