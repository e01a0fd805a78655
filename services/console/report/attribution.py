"""Attribution: the campaigns or channels that are credited with what was won, by several models side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console.formats import number_text
from services.console.report.funnel import others_text, period_text
from services.console.report.sections import Cell, Column, Section, dates_of, wins_href

MODELS: Final = {
    "first": "First",
    "last": "Last",
    "linear": "Linear",
    "time_decay": "Time decay",
    "u_shaped": "U-shaped",
    "w_shaped": "W-shaped",
    "full_path": "Full path",
}
EXPLAINED: Final = (
    "First credits the first touch, last the last one before the win, linear all alike, time decay later ones more; "
    "the shaped models credit most to the first touch and the last ones before the lead was known, qualified, won."
)
"""What the models do, in one sentence."""

GROUPS: Final = ("campaign", "channel")


def attribution_section(report: Mapping[str, Any]) -> Section:
    """What each group is credited with by each model; the one that the agreement prefers stands first."""
    models = sorted(MODELS, key=lambda it: it != report["show"])
    columns = [
        Column(report["by"].capitalize(), is_number=False),
        Column("Currency", is_number=False),
        *(Column(MODELS[it]) for it in models),
    ]
    rows = [
        [
            Cell(_name(item, report["by"])),
            Cell(item["currency"]),
            *(Cell(number_text(item[it]), _href(report, item, it)) for it in models),
        ]
        for item in report["items"]
    ]
    name = others_text(report.get("others_groups", 0), report["by"])
    rows += [
        [Cell(name), Cell(item["currency"]), *(Cell(number_text(item[it])) for it in models)]
        for item in report.get("others", [])
    ]
    return Section(
        "attribution",
        "Attribution",
        columns,
        rows,
        note=_note(report),
        empty="Nothing was won in this period whose amount is known. "
        "Touches are credited once reps win leads with an amount.",
    )


def _note(report: Mapping[str, Any]) -> str:
    version = report["agreement_version"]
    by = "the defaults, as no agreement is published" if version is None else f"version {version}"
    won, unknown = report["won"], report["wins_without_amount"]
    without = f", {number_text(unknown)} of them without an amount, in no sum" if unknown else ""
    return (
        f"{number_text(won)} win{'' if won == 1 else 's'} {period_text(report)}{without}. Window, half-life and the "
        f"preferred model ({MODELS[report['show']]}, first column) by {by}. By every model the credit in one "
        f"currency sums to what was won in it. {EXPLAINED}"
    )


def _href(report: Mapping[str, Any], item: Mapping[str, Any], model: str) -> str:
    """The wins that the group is credited with by the model; nothing behind a zero."""
    if not item[model]:
        return ""
    touched = None if item["group"] is not None else str(item["is_touched"]).lower()
    return wins_href(
        dates_of(report),
        report["by"],
        group=item["group"] or "",
        touched=touched,
        currency=item["currency"],
        model=model,
    )


def _name(item: Mapping[str, Any], by: str) -> str:
    if item["group"] is not None:
        return str(item["group"])
    return f"touches without a {by}" if item["is_touched"] else "no touch in the window"
