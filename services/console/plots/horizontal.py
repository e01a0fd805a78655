"""Bars from left to right, one below the other, each with its label and its number beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.console.plots import elements
from services.console.plots.elements import GAP, WIDTH, px, shortened

MAX_LABEL_WIDTH, MAX_NUMBER_WIDTH = 208, 200
"""The most room for the labels at the left, and for the numbers at the right."""

LARGE_CHARACTER = 10.4
"""The width of a character on a phone, where the text is larger, estimated."""

MAX_LABEL = 20
"""Characters of a label; the whole is in the bar's title."""

BAR_HEIGHT, ROW_GAP = 20, 8
LEGEND_HEIGHT = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """A number, as it is written, and the number of its series in the style sheet; None has no bar."""

    value: float | None
    text: str
    style: int = 0


@dataclass(frozen=True, slots=True)
class BarRow:
    """Bars with one label."""

    label: str
    bars: Sequence[Bar]


def horizontal_bars(title: str, rows: Sequence[BarRow], legend: Sequence[str] = ()) -> Markup:
    """The rows as one picture. `legend` names the series, from number 0 on; a single one needs no name."""
    scale = _scale(rows)
    shapes = [*_legend(legend, scale.left)]
    y = float(LEGEND_HEIGHT if legend else 0)
    for row in rows:
        shapes += _row(row, y, scale)
        y += BAR_HEIGHT * max(len(row.bars), 1) + ROW_GAP
    return elements.svg(title, round(y) or 1, shapes)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where bars begin, and how long one is."""

    left: float
    width: float
    highest: float

    def length(self, value: float | None) -> float:
        return self.width * (value or 0.0) / self.highest


def _scale(rows: Sequence[BarRow]) -> _Scale:
    labels = max((min(len(row.label), MAX_LABEL) for row in rows), default=0)
    numbers = max((len(bar.text) for row in rows for bar in row.bars), default=0)
    left = min(labels * LARGE_CHARACTER + GAP, MAX_LABEL_WIDTH)
    right = min(numbers * LARGE_CHARACTER + GAP, MAX_NUMBER_WIDTH)
    highest = max((bar.value or 0.0 for row in rows for bar in row.bars), default=0.0)
    return _Scale(left, WIDTH - left - right, highest or 1.0)


def _row(row: BarRow, y: float, scale: _Scale) -> Iterator[Markup]:
    middle = y + BAR_HEIGHT * len(row.bars) / 2 + 5
    label = shortened(row.label, MAX_LABEL)
    yield elements.TEXT.format(px(scale.left - GAP), px(middle), "end", label)
    for bar in row.bars:
        length = scale.length(bar.value)
        if bar.value:
            hint = f"{row.label}: {bar.text}"
            corner = px(scale.left), px(y + 2)
            size = px(max(length, 1.0)), px(BAR_HEIGHT - 4)
            yield elements.BAR.format(bar.style, *corner, *size, hint)
        yield elements.TEXT.format(px(scale.left + length + GAP), px(y + 15), "start", bar.text)
        y += BAR_HEIGHT


def _legend(names: Sequence[str], left: float) -> Iterator[Markup]:
    x = left
    for style, name in enumerate(names):
        yield elements.KEY.format(style, px(x), 6)
        yield elements.TEXT.format(px(x + 14), 15, "start", name)
        x += 14 + len(name) * LARGE_CHARACTER + 2 * GAP
