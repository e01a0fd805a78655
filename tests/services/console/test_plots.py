"""Plots: well-formed SVG with escaped texts, the right places, and a table of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from services.console.plots import (
    DURATION_STEPS,
    Axes,
    Bar,
    BarRow,
    Mark,
    Series,
    Span,
    Step,
    bars,
    horizontal_bars,
    lines,
    timeline,
    waterfall,
)
from tests.builders import NOON

EVIL = "<script>alert('1')</script>\" onload=\"x"


def number(value: float) -> str:
    return f"{value:g}"


def instant(at: datetime) -> str:
    return f"{at:%H:%M}"


def parsed(plot: Markup) -> ET.Element:
    """The plot as a tree: every plot is well-formed XML too."""
    return ET.fromstring(plot)  # noqa: S314 - it is our own text


def texts(root: ET.Element) -> list[str]:
    return [it.text or "" for it in root.iter("text")]


def table(root: ET.Element) -> list[list[str]]:
    """The rows of the table, its head first."""
    return [[cell.text or "" for cell in row] for row in root.iter("tr")]


def tops(root: ET.Element, style: int) -> list[tuple[float, float]]:
    """The upper and lower ends of the bars of a series, without its key."""
    rects = [it for it in root.iter("rect") if it.get("class") == f"series-{style}"]
    ends = [(float(it.get("y", "")), float(it.get("height", ""))) for it in rects]
    return [(y, y + height) for y, height in ends if y != 6]


AXES = Axes("Day", ["Mon", "Tue", "Wed"], number)


def test_bars_stand_on_each_other() -> None:
    root = parsed(
        bars("Promises", [Series("kept", [4, 0, 2], 2), Series("broken", [4, 1, None], 3)], AXES)
    )

    [(first, bottom), (third, _)] = tops(root, 2)
    [(upper, lower), _] = tops(root, 3)
    assert bottom - first == pytest.approx(2 * (bottom - third), abs=0.2)
    assert lower == pytest.approx(first, abs=0.2)
    assert bottom - upper == pytest.approx(2 * (bottom - first), abs=0.2)
    assert table(root) == [
        ["Day", "kept", "broken"],
        ["Mon", "4", "4"],
        ["Tue", "0", "1"],
        ["Wed", "2", ""],
    ]
    assert {"Mon", "Tue", "Wed", "kept", "broken", "0", "10"} <= set(texts(root))


def test_a_line_is_broken_where_there_is_no_value() -> None:
    axes = Axes("Day", ["a", "b", "c", "d", "e"], number)

    root = parsed(lines("Speed", [Series("p50", [1, 2, None, 3, 4])], axes))

    parts = [len((it.get("points") or "").split()) for it in root.iter("polyline")]
    assert parts == [2, 2]
    assert len(list(root.iter("circle"))) == 4
    titles = [it.text for it in root.iter("title")]
    assert titles == ["a: p50 1", "b: p50 2", "d: p50 3", "e: p50 4"]


@pytest.mark.parametrize(
    ("top", "steps", "values", "numbers"),
    [
        (None, (), [3], ["0", "1", "2", "3"]),
        (None, (), [0], ["0", "0.5", "1"]),
        (None, (), [700], ["0", "500", "1000"]),
        (1.0, (), [0.3], ["0", "0.5", "1"]),
        (None, DURATION_STEPS, [5_000], ["0", "1800", "3600", "5400"]),
        (None, DURATION_STEPS, [900_000], ["0", "500000", "1e+06"]),
    ],
    ids=["small", "nothing", "hundreds", "percent", "hours", "beyond all steps"],
)
def test_the_numbers_at_the_left_are_round(
    top: float | None, steps: Sequence[float], values: list[float], numbers: list[str]
) -> None:
    axes = Axes("Day", ["Mon"], number, top=top, steps=steps)
    root = parsed(bars("Plot", [Series("all", values)], axes))
    assert texts(root)[: len(numbers) + 1] == [*numbers, "Mon"]


def test_of_many_labels_some_are_shown() -> None:
    labels = [f"day {n}" for n in range(60)]
    root = parsed(lines("Plot", [Series("all", [1.0] * 60)], Axes("Day", labels, number)))
    assert [it for it in texts(root) if it.startswith("day")] == labels[::8]


def test_a_plot_without_numbers_is_empty_and_not_wrong() -> None:
    for plot in (bars, lines):
        root = parsed(plot("Nothing", [], Axes("Day", [], number)))
        assert table(root) == [["Day"]]


def test_horizontal_bars_are_to_scale_with_their_numbers_beside_them() -> None:
    rows = [
        BarRow("a campaign with a very long name", [Bar(4, "4 leads"), Bar(None, "unknown", 1)]),
        BarRow("b", [Bar(2, "2 leads"), Bar(0, "none", 1)]),
    ]
    root = parsed(horizontal_bars("Campaigns", rows, ["leads", "cost"]))

    widths = [float(it.get("width", "")) for it in root.iter("rect") if it.get("height") == "16"]
    assert widths == [pytest.approx(2 * widths[1], abs=0.2), widths[1]]
    assert "a campaign with a v\N{HORIZONTAL ELLIPSIS}" in texts(root)
    assert next(it.text for it in root.iter("title")) == "a campaign with a very long name: 4 leads"
    assert {"leads", "cost", "unknown", "none", "2 leads"} <= set(texts(root))


@pytest.mark.parametrize("values", [[], [0.0], [1e9], [0.001, 1e12]])
def test_horizontal_bars_stay_in_the_picture(values: list[float]) -> None:
    root = parsed(horizontal_bars("All", [BarRow("a", [Bar(it, "n")]) for it in values]))
    ends = [float(it.get("x", "")) + float(it.get("width", "")) for it in root.iter("rect")]
    assert all(it <= 640 for it in ends)


def test_a_waterfall_has_each_step_where_the_one_before_ends() -> None:
    steps = [
        Step("promised", 0, 400, "400", 4),
        Step("not due yet, as the month goes on", 100, 400, "-300", 1),
        Step("done", 0, 0, "0", 0),
    ]
    root = parsed(waterfall("To date", steps))

    [whole] = tops(root, 4)
    [part] = tops(root, 1)
    assert part[0] == whole[0]
    assert part[1] - part[0] == pytest.approx(0.75 * (whole[1] - whole[0]), abs=0.2)
    assert tops(root, 0) == []
    assert {"400", "-300", "0", "not due yet,\N{HORIZONTAL ELLIPSIS}"} <= set(texts(root))


@pytest.mark.parametrize("steps", [[], [Step("a", 0, 0, "0")], [Step("a", 0, 1e12, "1")]])
def test_a_waterfall_stays_in_the_picture(steps: list[Step]) -> None:
    root = parsed(waterfall("To date", steps))
    assert all(0 <= float(it.get("y", "")) <= 200 for it in root.iter("rect"))


AN_HOUR = timedelta(hours=1)
MARKS = [
    Mark(NOON, "start"),
    Mark(NOON + 4 * AN_HOUR, "due", "due"),
    Mark(NOON + 4.05 * AN_HOUR, "now", "end"),
]
SPANS = [
    Span(NOON, NOON + AN_HOUR, "open", "1 h counted"),
    Span(NOON + 3 * AN_HOUR, NOON + 4 * AN_HOUR, "open", "2 h counted"),
]


def test_a_timeline_is_to_scale() -> None:
    ticks = [Mark(NOON + 2 * AN_HOUR, "14:00"), Mark(NOON - AN_HOUR, "11:00")]

    root = parsed(timeline("Clock", SPANS, MARKS, ticks, instant))

    rects = {it.get("class"): it for it in root.iter("rect")}
    band, spans = (
        rects["closed"],
        [it for it in root.iter("rect") if it.get("class") == "span open"],
    )
    width = float(band.get("width", ""))
    shares = [float(it.get("width", "")) / width for it in spans]
    assert shares == [pytest.approx(1 / 4.05, abs=0.01)] * 2
    assert float(spans[1].get("x", "")) == pytest.approx(8 + 3 / 4.05 * width, abs=1)
    assert "14:00" in texts(root)
    assert "11:00" not in texts(root)
    assert table(root) == [
        ["From", "Until", "What"],
        ["12:00", "13:00", "1 h counted"],
        ["12:00", "", "start"],
        ["15:00", "16:00", "2 h counted"],
        ["16:00", "", "due"],
        ["16:03", "", "now"],
    ]


def test_labels_that_would_touch_stand_in_rows() -> None:
    root = parsed(timeline("Clock", SPANS, MARKS, [], instant))
    heights = {it.text: it.get("y") for it in root.iter("text")}
    assert heights["due"] != heights["now"]
    assert heights["start"] == heights["due"]


def test_ticks_that_would_touch_are_left_out() -> None:
    ticks = [Mark(NOON + timedelta(minutes=60 + n), f"tick {n}") for n in range(9)]
    root = parsed(timeline("Clock", SPANS, MARKS, ticks, instant))
    assert 1 <= len([it for it in texts(root) if it.startswith("tick")]) < 4


@given(st.lists(st.tuples(st.integers(0, 10**6), st.text(max_size=30)), min_size=1, max_size=9))
def test_no_two_labels_overlap(instants: list[tuple[int, str]]) -> None:
    marks = [Mark(NOON + timedelta(seconds=at), f"at {at}") for at, _ in instants]
    root = parsed(timeline("Clock", [], marks, [], instant))
    boxes = sorted(
        (it.get("y", ""), float(it.get("x", "")), len(it.text or "") * 6.6)
        for it in root.iter("text")
    )
    for (row, left, width), (next_row, next_left, _) in pairwise(boxes):
        assert row != next_row or left + width <= next_left + 0.1


class Elements(HTMLParser):
    """The names of elements and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the names."""
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize(
    "plot",
    [
        bars(EVIL, [Series(EVIL, [1.0])], Axes(EVIL, [EVIL], lambda _: EVIL)),
        lines(EVIL, [Series(EVIL, [1.0])], Axes(EVIL, [EVIL], lambda _: EVIL)),
        waterfall(EVIL, [Step(EVIL, 0, 1, EVIL)]),
        horizontal_bars(EVIL, [BarRow(EVIL, [Bar(1.0, EVIL)])], [EVIL]),
        timeline(
            EVIL,
            [Span(NOON, NOON + AN_HOUR, "open", EVIL)],
            [Mark(NOON, EVIL, EVIL)],
            [Mark(NOON + AN_HOUR / 2, EVIL)],
            lambda _: EVIL,
        ),
    ],
    ids=["bars", "lines", "waterfall", "horizontal", "timeline"],
)
def test_text_stays_text_and_nothing_is_inline(plot: Markup) -> None:
    html = Elements(plot)
    assert "script" not in html.names
    assert not {it for it in html.attributes if it == "style" or it.startswith("on")}
    parsed(plot)
