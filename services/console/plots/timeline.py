"""Timelines: what happened from one instant to another, to scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from services.console.plots import elements
from services.console.plots.elements import CHARACTER, GAP, WIDTH, px, with_table

BAND, ROW = 20, 16
"""The heights of the band, and of a row of labels."""

MARGIN = 8
"""Room at the left and the right."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a timeline. `kind` is its class in the style sheet: `open`, `overdue` or `paused`."""

    since: datetime
    until: datetime
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant on a timeline. `kind` is its class in the style sheet: `due`, `warning`, `end` or none."""

    at: datetime
    label: str
    kind: str = ""


def timeline(
    title: str,
    spans: Sequence[Span],
    marks: Sequence[Mark],
    ticks: Sequence[Mark],
    write: Callable[[datetime], str],
) -> Markup:
    """Spans on a band from the first to the last instant, with marks above it and ticks below.

    Where no span lies, the band is closed. `write` gives the instants of the table.
    """
    instants = [*(it.at for it in marks), *(at for it in spans for at in (it.since, it.until))]
    first, last = min(instants), max(instants)
    length = max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (at - first).total_seconds() / length

    labels = _labels([(x(it.at), it) for it in sorted(marks, key=lambda it: it.at)])
    band = ROW * max((it.row + 1 for it in labels), default=0) + 4
    shapes = [elements.BACKGROUND.format(MARGIN, band, WIDTH - 2 * MARGIN, BAND)]
    for span in spans:
        left, right = x(span.since), x(span.until)
        width = max(right - left, 1.0)
        shapes.append(elements.SPAN.format(span.kind, px(left), band, px(width), BAND, span.label))
    for label in labels:
        top = ROW * label.row
        at, text = px(label.at), label.mark.label
        shapes.append(elements.MARK.format(label.mark.kind, at, top + ROW - 2, at, band + BAND))
        shapes.append(elements.TEXT.format(px(label.left), top + ROW - 4, "start", text))
    for middle, tick in _spaced([(x(it.at), it) for it in ticks if first <= it.at <= last]):
        shapes.append(elements.TEXT.format(px(middle), band + BAND + ROW, "middle", tick.label))
    svg = elements.svg(title, band + BAND + ROW + 6, shapes)
    return with_table(title, svg, ["From", "Until", "What"], _rows(spans, marks, write))


def _rows(
    spans: Sequence[Span], marks: Sequence[Mark], write: Callable[[datetime], str]
) -> list[list[str]]:
    """The spans and the marks in the order in which they began."""
    rows = [
        *((it.since, write(it.until), it.label) for it in spans),
        *((it.at, "", it.label) for it in marks),
    ]
    rows.sort(key=lambda it: it[0])
    return [[write(since), until, label] for since, until, label in rows]


@dataclass(frozen=True, slots=True)
class _Label:
    """A mark's label: in which row above the band, where it begins, and where the mark stands."""

    row: int
    left: float
    at: float
    mark: Mark


def _labels(marks: Sequence[tuple[float, Mark]]) -> list[_Label]:
    """Each label in the lowest row in which it touches no other, inside the picture."""
    ends: list[float] = []
    labels = []
    for at, mark in marks:
        width = len(mark.label) * CHARACTER
        left = max(0.0, min(at, WIDTH - width))
        row = next((row for row, end in enumerate(ends) if end + GAP <= left), len(ends))
        ends[row : row + 1] = [left + width]
        labels.append(_Label(row, left, at, mark))
    return labels


def _spaced(marks: Sequence[tuple[float, Mark]]) -> Iterator[tuple[float, Mark]]:
    """The marks whose labels, in the middle below them, touch no label before them."""
    end = 0.0
    for at, mark in marks:
        half = len(mark.label) * CHARACTER / 2
        if at - half >= end and at + half <= WIDTH:
            end = at + half + GAP
            yield at, mark
