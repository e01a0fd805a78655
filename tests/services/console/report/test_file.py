"""A report as one HTML file: nothing in it is loaded from elsewhere, and every text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from services.console.apis import Gap
from services.console.plots import Bar, BarRow, horizontal_bars
from services.console.report.file import Report, html_of
from services.console.report.sections import Cell, Column, Section, gap_section
from tests.builders import NOON

EVIL = "<script>alert(1)</script>\" onload='x'"
SECTION = Section(
    "funnel",
    EVIL,
    [Column(EVIL, is_number=False), Column("Leads")],
    [[Cell(EVIL), Cell("3", "/alignment/leads?stage=won")]],
    note=EVIL,
    picture=horizontal_bars(EVIL, [BarRow(EVIL, [Bar(3, EVIL)])]),
)
REPORT = Report("A title", "2026-W47.", NOON, [SECTION])
URL = "http://console.example.com"


class Elements(HTMLParser):
    """The elements of a page, and what their attributes load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loaded: list[str | None] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag != "a":
            self.loaded += [value for name, value in attrs if name in {"src", "href", "action"}]


def test_a_report_loads_nothing_and_runs_nothing() -> None:
    page = html_of(REPORT, console_url=URL)
    elements = Elements(page)

    assert "script" not in elements.names
    assert elements.handlers == []
    assert set(elements.loaded) == {"data:,"}
    assert re.findall(r"url\(|@import", page) == []
    assert "default-src 'none'" in page


def test_each_figure_opens_its_leads_in_the_console() -> None:
    page = html_of(REPORT, console_url=f"{URL}/")
    assert f'<a href="{URL}/alignment/leads?stage=won">3</a>' in page


def test_a_picture_stands_beside_its_table() -> None:
    page = html_of(REPORT, console_url=URL)
    assert page.index("<svg") < page.index("<table")
    assert "Made on 18 Nov 2026 12:00 UTC" in page


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        (gap_section("a", "The funnel", Gap("the alignment service does not answer")), "answer"),
        (replace(SECTION, rows=[], empty="No lead qualified.", command="leadbaton demo"), "demo"),
        (replace(SECTION, rows=[]), "There is nothing to count yet."),
    ],
    ids=["away", "empty", "nothing"],
)
def test_a_section_without_rows_says_why(section: Section, sentence: str) -> None:
    page = html_of(replace(REPORT, sections=[section]), console_url=URL)
    assert sentence in page
    assert "<table" not in page
