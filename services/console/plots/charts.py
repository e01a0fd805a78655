"""Bars and lines over labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, log10

from markupsafe import Markup

from services.console.plots import elements
from services.console.plots.elements import CHARACTER, GAP, WIDTH, px, with_table

HEIGHT = 180
LEFT, RIGHT, TOP, BOTTOM = 72, 12, 26, 22
"""Room around the picture for the names of series and the labels of the axes."""

MAX_LABELS = 8
"""So many labels stand below a plot."""

DURATION_STEPS = (1, 10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800)
"""Seconds that are round as durations."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers with a name, one for each label of the axis; None where there is none.

    `style` is the series' number in the style sheet: `series-0` is the accent, 1 a warning, 2 good, 3 bad.
    """

    name: str
    values: Sequence[float | None]
    style: int = 0


@dataclass(frozen=True, slots=True)
class Axes:
    """The labels below a plot, and how numbers are written at its left."""

    title: str
    """What the labels are, such as `Day`: the head of their column in the table."""
    labels: Sequence[str]
    write: Callable[[float], str]
    top: float | None = None
    """The number at the upper end; by default a round one above all values."""
    steps: Sequence[float] = ()
    """Round distances between two lines, such as DURATION_STEPS; by default 1, 2 and 5 with zeros."""


def bars(title: str, series: Sequence[Series], axes: Axes) -> Markup:
    """The series as bars that stand on each other, one bar for each label."""
    columns = list(zip(*(it.values for it in series), strict=True))
    scale = _scale(axes, [sum(value or 0 for value in column) for column in columns])
    width = (WIDTH - LEFT - RIGHT) / max(len(columns), 1)
    shapes = []
    for index, column in enumerate(columns):
        base = 0.0
        for one_series, value in zip(series, column, strict=True):
            if value:
                shapes.append(
                    elements.BAR.format(
                        one_series.style,
                        px(LEFT + width * (index + 0.15)),
                        px(scale.y(base + value)),
                        px(width * 0.7),
                        px(scale.y(base) - scale.y(base + value)),
                        f"{axes.labels[index]}: {one_series.name} {axes.write(value)}",
                    )
                )
                base += value
    return _with_table(title, series, axes, _picture(title, series, axes, scale, shapes))


def lines(title: str, series: Sequence[Series], axes: Axes) -> Markup:
    """The series as lines, with a point for each value; a line is broken where there is no value."""
    return _with_table(title, series, axes, line_picture(title, series, axes))


def line_picture(title: str, series: Sequence[Series], axes: Axes) -> Markup:
    """The same without its table, for pages that have one beside it."""
    scale = _scale(axes, [value for it in series for value in it.values if value is not None])
    shapes = []
    for one_series in series:
        points = [
            None if value is None else (_middle(index, axes), scale.y(value))
            for index, value in enumerate(one_series.values)
        ]
        for is_gap, part in groupby(points, key=lambda it: it is None):
            if not is_gap:
                path = " ".join(f"{px(x)},{px(y)}" for x, y in filter(None, part))
                shapes.append(elements.LINE.format(one_series.style, path))
        for index, (point, value) in enumerate(zip(points, one_series.values, strict=True)):
            if point is not None and value is not None:
                x, y = point
                text = f"{axes.labels[index]}: {one_series.name} {axes.write(value)}"
                shapes.append(elements.POINT.format(one_series.style, px(x), px(y), text))
    return _picture(title, series, axes, scale, shapes)


@dataclass(frozen=True, slots=True)
class _Scale:
    """The numbers at the left, and where each lies."""

    top: float
    step: float

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value / self.top, 1.0)

    def numbers(self) -> list[float]:
        return [self.step * index for index in range(floor(self.top / self.step + 1e-9) + 1)]


def _scale(axes: Axes, values: Sequence[float]) -> _Scale:
    """About three lines, at round numbers, up to the axes' top or above all values."""
    highest = axes.top or max(values, default=0.0) or 1.0
    step = next((it for it in axes.steps if highest <= 4 * it), None) or _round_step(highest / 3)
    return _Scale(axes.top or step * ceil(highest / step - 1e-9), step)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 with zeros that is not less."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _middle(index: int, axes: Axes) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (index + 0.5) / max(len(axes.labels), 1)


def _picture(
    title: str, series: Sequence[Series], axes: Axes, scale: _Scale, shapes: Sequence[Markup]
) -> Markup:
    """The axes, the shapes and the names of the series."""
    return elements.svg(title, HEIGHT, [*_rulers(axes, scale), *shapes, *_legend(series)])


def _with_table(title: str, series: Sequence[Series], axes: Axes, picture: Markup) -> Markup:
    """The picture with the table of all numbers."""
    columns = [["" if value is None else axes.write(value) for value in it.values] for it in series]
    rows = list(zip(axes.labels, *columns, strict=True))
    return with_table(title, picture, [axes.title, *(it.name for it in series)], rows)


def _rulers(axes: Axes, scale: _Scale) -> Iterator[Markup]:
    for number in scale.numbers():
        y = scale.y(number)
        yield elements.RULER.format(LEFT, px(y), WIDTH - RIGHT, px(y))
        yield elements.TEXT.format(LEFT - 6, px(y + 4), "end", axes.write(number))
    every = ceil(len(axes.labels) / MAX_LABELS)
    for index in range(0, len(axes.labels), every or 1):
        x = _middle(index, axes)
        yield elements.TEXT.format(px(x), HEIGHT - 6, "middle", axes.labels[index])


def _legend(series: Sequence[Series]) -> Iterator[Markup]:
    x = float(LEFT)
    for one_series in series:
        yield elements.KEY.format(one_series.style, px(x), 6)
        yield elements.TEXT.format(px(x + 14), 15, "start", one_series.name)
        x += 14 + len(one_series.name) * CHARACTER + 2 * GAP
