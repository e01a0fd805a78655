"""A report as one HTML file: no request leaves it, and it needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from services.console.report.sections import Section

STYLE_SHEETS = (
    Path(__file__).parents[1] / "static" / "console.css",
    Path(__file__).parent / "templates" / "report.css",
)
"""That of the console, and what differs on paper."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its title, what it covers in words, when it was made, and its sections."""

    title: str
    subtitle: str
    made_at: datetime
    sections: Sequence[Section]


def html_of(report: Report, *, console_url: str) -> str:
    """The page; its figures link to the console at this address, where people open what is behind them."""
    styles = "\n".join(it.read_text(encoding="utf-8") for it in STYLE_SHEETS)
    return (
        _environment()
        .get_template("report.html")
        .render(
            report_of=report,
            made_at=f"{report.made_at.astimezone(UTC):%d %b %Y %H:%M} UTC",
            styles=styles,
            base=console_url.rstrip("/"),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=ChoiceLoader(
            [PackageLoader("services.console.report"), PackageLoader("services.console")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
