"""The agenda of the two teams' meeting: what sales rejected and why, who waited, which promises broke, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from services.console.formats import duration_text, instant, number_text
from services.console.report.funnel import others_text
from services.console.report.periods import dates_text
from services.console.report.sections import (
    NONE,
    Cell,
    Column,
    Section,
    count_cell,
    leads_href,
    parts_cell,
    share_cell,
)

TITLES: Final = {
    "rejections": "Campaigns whose leads sales rejected, and why",
    "waiting": "The leads that have waited longest",
    "untouched": "Accepted but untouched",
    "breaches": "Broken promises by cause",
    "changes": "What changed in the agreement",
}
"""The sections of the agenda."""

KINDS: Final = ("accept", "first_touch", "meeting", "outcome", "attempts")
"""What promises of sales are about."""

CAUSES: Final = {
    "late": "Answered late",
    "overdue": "Not answered yet",
    "cancelled": "Ended without an answer",
}
"""How a promise breaks."""

MAX_CAMPAIGNS: Final = 20
MAX_WAITING: Final = 10
LIVE: Final = ("waiting", "assigned")
"""The states in which nobody has accepted a lead yet."""


def rejections_section(report: Mapping[str, Any], period: Mapping[str, str]) -> Section:
    """The campaigns whose leads sales rejected, those with the most first, and why; the others together."""
    total = report["total"]
    rows = [_rejected_row(it, period) for it in report["items"]]
    if report["others"] is not None:
        name = others_text(report["others_groups"], report["by"])
        rows.append(_row_of_others(name, report["others"]))
    return Section(
        "rejections",
        TITLES["rejections"],
        [
            Column("Campaign", is_number=False),
            *(Column(it) for it in ("Rejected", "Of qualified", "Qualified")),
            Column("Reasons", is_number=False),
        ],
        rows,
        note=f"{number_text(total['rejected'])} rejected of {number_text(total['qualified'])} leads that qualified in "
        "the period.",
        empty="Sales rejected none of these leads.",
    )


def _rejected_row(group: Mapping[str, Any], period: Mapping[str, str]) -> list[Cell]:
    campaign = group["group"]
    href = leads_href(period, "rejected", campaign=campaign)
    return [
        Cell(campaign or "no campaign"),
        count_cell(group["rejected"], href),
        share_cell(group["rejected"] / group["qualified"], href),
        count_cell(group["qualified"], leads_href(period, "qualified", campaign=campaign)),
        parts_cell(
            [
                Cell(_reason_text(it), _reason_href(it["reason"], period, campaign))
                for it in group["rejections"]
            ]
        ),
    ]


def _row_of_others(name: str, others: Mapping[str, Any]) -> list[Cell]:
    """The row of the campaigns that are not listed, which leads to no list."""
    return [
        Cell(name),
        count_cell(others["rejected"]),
        share_cell(others["rejected"] / others["qualified"]),
        count_cell(others["qualified"]),
        Cell(", ".join(map(_reason_text, others["rejections"]))),
    ]


def waiting_section(
    handoffs: Sequence[Mapping[str, Any]], names: Mapping[str, str], now: datetime
) -> Section:
    """The leads that nobody has accepted yet, those that wait longest first; `names` has the reps' names."""
    longest = sorted(handoffs, key=lambda it: instant(it["qualified_at"]))[:MAX_WAITING]
    return Section(
        "waiting",
        TITLES["waiting"],
        _LEAD_COLUMNS,
        [_lead_row(it, it["qualified_at"], names, now) for it in longest],
        note="Nobody has accepted them yet, at the time of this report; the wait is wall time since they qualified.",
        empty="No lead waits to be accepted.",
    )


def untouched_section(
    handoffs: Sequence[Mapping[str, Any]], names: Mapping[str, str], now: datetime
) -> Section:
    """The leads that a rep has accepted and not contacted."""
    return Section(
        "untouched",
        TITLES["untouched"],
        _LEAD_COLUMNS,
        [_lead_row(it, it["assigned_at"], names, now) for it in handoffs[:MAX_WAITING]],
        note="A rep has accepted them and noted no contact, at the time of this report; the wait is wall time since "
        "they were assigned.",
        empty="Each accepted lead was contacted.",
    )


def breaches_section(
    reports: Mapping[str, Sequence[Mapping[str, Any]]], since: str, until: str
) -> Section:
    """The promises that broke by what they were about and how; `reports` has the groups of each kind."""
    rows = []
    for kind, items in reports.items():
        sums = {it: sum(item[it] for item in items) for it in ("promised", "met", *CAUSES)}
        if sums["promised"]:
            every = f"/sla/attainment?{urlencode({'kind': kind, 'since': since, 'until': until})}"
            share = share_cell(sums["met"] / sums["promised"], every)
            dates = {"kind": kind, "first_due_on": since, "last_due_on": until}
            counts = [count_cell(sums[it], _broken_href(dates, cause=it)) for it in CAUSES]
            title = Cell(kind.replace("_", " "), _broken_href(dates))
            rows.append([title, *counts, count_cell(sums["promised"], every), share])
    return Section(
        "breaches",
        TITLES["breaches"],
        [
            Column("Promise", is_number=False),
            *(Column(it) for it in (*CAUSES.values(), "Promised", "Kept")),
        ],
        rows,
        note=f"Promises about leads that were due {dates_text(since, until)}, as the SLA monitor counts them.",
        empty="No promise was due.",
    )


def _broken_href(dates: Mapping[str, str], **cause: str) -> str:
    """The page of the promises that broke."""
    return f"/sla/broken?{urlencode({**dates, **cause})}"


def changes_section(
    versions: Sequence[Mapping[str, Any]], difference: Mapping[str, Any] | None, since: datetime
) -> Section:
    """The versions of the agreement since the last meeting, newest first, and the lines that differ in all."""
    changed = [it for it in versions if instant(it["published_at"]) >= since]
    rows = [
        [
            Cell(str(it["number"]), f"/agreement?version={it['number']}"),
            Cell(f"{instant(it['published_at']):%d %b %Y %H:%M} UTC"),
            Cell(it["published_by"]),
            Cell(it["note"] or NONE),
        ]
        for it in changed
    ]
    if difference is not None:
        address = f"/agreement?from={difference['from']}&to={difference['to']}"
        rows.append([Cell("in all", address), Cell(""), Cell(""), Cell(_lines_text(difference))])
    return Section(
        "changes",
        TITLES["changes"],
        [Column(it, is_number=False) for it in ("Version", "Published", "By", "What and why")],
        rows,
        note=f"Since {since.day} {since:%b %Y}.",
        empty="Nothing: the agreement is as it was.",
    )


def versions_compared(
    versions: Sequence[Mapping[str, Any]], since: datetime
) -> tuple[int, int] | None:
    """The version that held before `since`, and the newest of `versions`; None where they are the same."""
    before = [it["number"] for it in versions if instant(it["published_at"]) < since]
    if not versions or not before or before[0] == versions[0]["number"]:
        return None
    return before[0], versions[0]["number"]


_LEAD_COLUMNS: Final = [
    *(Column(it, is_number=False) for it in ("Lead", "State", "Team", "Rep", "Tier", "Campaign")),
    Column("Waits"),
]


def _lead_row(
    handoff: Mapping[str, Any], since: str | None, names: Mapping[str, str], now: datetime
) -> list[Cell]:
    lead = handoff["lead"]
    waited_s = (now.astimezone(UTC) - instant(since or handoff["qualified_at"])).total_seconds()
    campaign = lead.get("last_campaign") or {}
    return [
        Cell(lead.get("name") or lead.get("email") or "A lead", f"/handoffs/{handoff['id']}"),
        Cell(handoff["state"]),
        Cell(handoff["team"]),
        Cell(names.get(handoff["rep"], handoff["rep"]) or "nobody yet"),
        Cell(handoff["tier"]),
        Cell(campaign.get("name") or NONE),
        Cell(duration_text(max(waited_s, 0.0))),
    ]


def _reason_text(rejections: Mapping[str, Any]) -> str:
    reason = (rejections["reason"] or "none given").replace("_", " ")
    return f"{reason} {number_text(rejections['count'])}"


def _reason_href(reason: str | None, period: Mapping[str, str], campaign: str | None) -> str:
    """The leads of the campaign that were rejected for this reason."""
    figure = {"measure": "rejected_share", "of": reason or "", "kept": "true"}
    return leads_href(period, "rejected", **figure, campaign=campaign)


def _lines_text(difference: Mapping[str, Any]) -> str:
    """How many lines came and went, without the head of the difference."""
    lines = difference["lines"][2:]
    added, removed = (sum(it.startswith(sign) for it in lines) for sign in ("+", "-"))
    return f"{added} lines added, {removed} removed"
