"""Bars that begin where another one ends: how a number comes about, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.console.plots import elements
from services.console.plots.elements import WIDTH, px, shortened

HEIGHT, TOP, BOTTOM = 200, 28, 28
"""The picture, and the room above and below its bars for numbers and labels."""

MAX_LABEL = 13
"""Characters of a label; the whole is in the bar's title."""


@dataclass(frozen=True, slots=True)
class Step:
    """A bar between two numbers, its label, the number as it is written, and its series in the style sheet."""

    label: str
    start: float
    end: float
    text: str
    style: int = 0


def waterfall(title: str, steps: Sequence[Step]) -> Markup:
    """The steps from left to right as one picture."""
    highest = max((max(it.start, it.end) for it in steps), default=0.0) or 1.0
    width = WIDTH / max(len(steps), 1)
    base = px(HEIGHT - BOTTOM)
    shapes = [elements.RULER.format(0, base, WIDTH, base)]
    for index, step in enumerate(steps):
        shapes += _bar(step, width * index, width, highest)
    return elements.svg(title, HEIGHT, shapes)


def _bar(step: Step, x: float, width: float, highest: float) -> Iterator[Markup]:
    room = HEIGHT - TOP - BOTTOM
    upper, lower = (
        room * it / highest for it in (max(step.start, step.end), min(step.start, step.end))
    )
    top, middle = HEIGHT - BOTTOM - upper, px(x + width / 2)
    if upper > lower:
        corner = px(x + width * 0.15), px(top)
        size = px(width * 0.7), px(max(upper - lower, 1.0))
        yield elements.BAR.format(step.style, *corner, *size, f"{step.label}: {step.text}")
    yield elements.TEXT.format(middle, px(top - 6), "middle", step.text)
    yield elements.TEXT.format(middle, HEIGHT - 8, "middle", shortened(step.label, MAX_LABEL))
