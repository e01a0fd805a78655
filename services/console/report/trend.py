"""The funnel from week to week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from services.console.formats import number_text
from services.console.plots import Axes, Series, line_picture
from services.console.report.funnel import EMPTY, revenue_cell
from services.console.report.sections import (
    ANSWERED,
    Cell,
    Column,
    Section,
    count_cell,
    leads_href,
    share_cell,
    versions_text,
)

STAGES: Final = {"qualified": "Qualified", "accepted": "Accepted", "won": "Won"}
WEEKS: Final = 13
"""A quarter."""


def trend_section(reports: Mapping[str, Mapping[str, Any]]) -> Section:
    """The report of each week, oldest first."""
    series = [
        Series(title, [it["total"][stage] for it in reports.values()], style)
        for style, (stage, title) in enumerate(STAGES.items())
    ]
    labels = [name.partition("-")[2] for name in reports]
    counts = [it["total"]["qualified"] for it in reports.values()]
    return Section(
        "trend",
        f"The last {len(reports)} weeks",
        [
            Column("Week, from", is_number=False),
            *(Column(it) for it in (*STAGES.values(), "Accept rate", "Promises kept", "Revenue")),
        ],
        [_row(name, report) for name, report in reports.items()] if any(counts) else [],
        note=f"{number_text(sum(counts))} leads by the week in which they qualified, "
        f"{_versions_text(reports)}; the latest weeks still grow.",
        picture=line_picture("Leads by week", series, Axes("Week", labels, number_text)),
        empty=EMPTY,
    )


def _versions_text(reports: Mapping[str, Mapping[str, Any]]) -> str:
    totals = [it["total"] for it in reports.values() if it["total"]["first_version"] is not None]
    first = min((it["first_version"] for it in totals), default=None)
    last = max((it["last_version"] for it in totals), default=None)
    return versions_text({"first_version": first, "last_version": last})


def _first_day(report: Mapping[str, Any]) -> str:
    day = date.fromisoformat(report["since"])
    return f"{day.day} {day:%b}"


def _row(name: str, report: Mapping[str, Any]) -> list[Cell]:
    total, period = report["total"], {"period": name}
    return [
        Cell(f"{name}, {_first_day(report)}"),
        *(count_cell(total[it], leads_href(period, it)) for it in STAGES),
        share_cell(
            total["acceptance_rate"], leads_href(period, "qualified", **ANSWERED, kept="true")
        ),
        share_cell(total["attainment"], leads_href(period, "qualified", promises="met")),
        revenue_cell(total, leads_href(period, "won")),
    ]
