"""The promises of both sides to date: what was agreed, what is due by now, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from services.console.formats import duration_text, number_text, percent_text
from services.console.plots import Step, captioned, waterfall
from services.console.report.periods import dates_text
from services.console.report.sections import (
    NONE,
    Cell,
    Column,
    Section,
    amount_text,
    count_cell,
)

TITLES: Final = {"marketing": "What marketing promised", "sales": "What sales promised"}
API_LEADS: Final = "/v1"
"""What the addresses of the API have before those of the console."""

MEASURES: Final = {
    "qualified": "qualified leads",
    "qualified_value": "worth of the qualified leads",
    "acceptance_rate": "accepted, of those that sales has answered",
    "completeness": "qualified leads that have",
    "handover_time": "from the event that qualified the lead to its assignment",
    "attainment": "promises kept of the policy",
    "reasons_given": "rejections and losses with a reason",
    "win_rate": "won within",
    "capacity": "leads that the roster can take",
}
VERDICTS: Final = {
    "ahead": "ahead",
    "on_track": "on track",
    "behind": "behind",
    "met": "met",
    "missed": "missed",
    "too_few": "too few",
    "unknown": "not known",
    "not_begun": "not begun",
}
GROWING: Final = ("qualified", "qualified_value")
"""Measures of which a part is due on each working day."""

MAX_PICTURES: Final = 3
COLUMNS: Final = [
    Column("Promise", is_number=False),
    Column("Time", is_number=False),
    *(Column(it) for it in ("Target", "Due by now", "To date", "n")),
    Column("Judgement", is_number=False),
]


def promises_sections(report: Mapping[str, Any]) -> list[Section]:
    """The promises of marketing, and those of sales."""
    return [_section(report, side) for side in TITLES]


def _section(report: Mapping[str, Any], side: str) -> Section:
    items = [it for it in report["items"] if it["side"] == side]
    return Section(
        f"promises-{side}",
        TITLES[side],
        COLUMNS,
        [_row(it) for it in items],
        note=_note(report, side) if items else "",
        picture=_pictures(items),
        empty=f"The agreement has no promise of {side}: its section `promises` is where both sides write theirs.",
        command="leadbaton agreement reference",
    )


def _note(report: Mapping[str, Any], side: str) -> str:
    goal = report["goal"] if side == "marketing" else None
    due = (
        "What is due by now is the part of the working days that have passed; of shares and times it is all. "
        "n is how many leads, answers or promises a value is computed from."
    )
    return f"By agreement version {report['agreement_version']}. {due}{_goal_text(goal)}"


def _goal_text(goal: Mapping[str, Any] | None) -> str:
    """What the quota takes."""
    if goal is None:
        return ""
    text = f" The quota takes {amount_text(goal['revenue'], goal['currency'])} from marketing per {goal['per']}"
    if goal["leads_needed"] is None:
        return f"{text}."
    return (
        f"{text}: {number_text(round(goal['customers'], 1))} customers at "
        f"{amount_text(goal['average_deal'], goal['currency'])}, {number_text(round(goal['leads_needed']))} leads at "
        f"a close rate of {percent_text(goal['close_rate'])}."
    )


def _row(item: Mapping[str, Any]) -> list[Cell]:
    bound = "at most" if item["is_at_most"] else "at least"
    return [
        Cell(_words(item)),
        Cell(dates_text(item["since"], item["until"])),
        Cell(f"{bound} {value_text(item['target'], item['unit'])}"),
        Cell(value_text(item["due"], item["unit"])),
        _value_cell(item),
        count_cell(item["n"], _href(item)),
        Cell(_judgement(item), state=item["verdict"]),
    ]


def _value_cell(item: Mapping[str, Any]) -> Cell:
    """What was counted, or what the value is at the least where it is not known."""
    value, least = item["value"], item.get("value_at_least")
    if value is None:
        text = NONE if least is None else f"at least {value_text(least, item['unit'])}"
        return Cell(text, _href(item) if least else "")
    href = _href(item, kept=item["unit"] == "share") if value else ""
    return Cell(value_text(value, item["unit"]), href)


def _words(item: Mapping[str, Any]) -> str:
    where = f", where {item['where']}" if item["where"] else ""
    return f"{item['id']}: {MEASURES.get(item['measure'], item['measure'])}{_detail(item)}{where}"


def _detail(item: Mapping[str, Any]) -> str:
    """What the measure needs: traits, a share of the leads, days, a policy."""
    detail = item["detail"] or ""
    match item["measure"]:
        case "completeness":
            return f" {', '.join(it.replace('_', ' ') for it in detail.split())}"
        case "handover_time":
            return f", for {detail.removeprefix('p')}\u2009% of leads" if detail else ""
        case "win_rate":
            return f" {detail.removesuffix('d')} days"
    return f" {detail}" if detail else ""


def _judgement(item: Mapping[str, Any]) -> str:
    word = VERDICTS.get(item["verdict"], item["verdict"])
    text = item["why"] if item["verdict"] == "too_few" and item["why"] else word
    if item["verdict"] != "too_few" and item["why"]:
        text = f"{word}: {item['why']}"
    return f"{text}; {item['cannot_reach']}" if item["cannot_reach"] else text


def _href(item: Mapping[str, Any], *, kept: bool = False) -> str:
    """The console's page of the leads that the API names, or of those that count for a share."""
    return str(item["leads"]).removeprefix(API_LEADS) + ("&kept=true" if kept else "")


def value_text(value: float, unit: str) -> str:
    """A value in its unit: leads, a share, seconds, attempts, or a currency."""
    match unit:
        case "leads" | "attempts":
            return number_text(round(value, 1))
        case "share":
            return percent_text(value)
        case "seconds":
            return duration_text(value)
    return amount_text(round(value), unit)


def _pictures(items: Sequence[Mapping[str, Any]]) -> Markup:
    """A waterfall for each promise that grows, from what was promised to what is missing of it."""
    growing = [it for it in items if it["measure"] in GROWING and it["value"] is not None]
    return Markup().join(
        captioned(_caption(it), waterfall(f"{it['id']} to date", _steps(it)))
        for it in growing[:MAX_PICTURES]
    )


def _caption(item: Mapping[str, Any]) -> str:
    """What the picture is of; amounts have their currency there, as it does not fit beside each number."""
    is_amount = item["measure"] == "qualified_value"
    return f"{item['id']}, in {item['unit']}" if is_amount else f"{item['id']}, in leads"


def _steps(item: Mapping[str, Any]) -> list[Step]:
    target, due, value = (round(item[it], 1) for it in ("target", "due", "value"))
    gap = round(value - due, 1)
    missing = Step("missing", value, due, number_text(gap), 3)
    over = Step("over", due, value, f"+{number_text(gap)}", 2)
    return [
        Step("promised", 0, target, number_text(target), 4),
        Step("not due yet", due, target, number_text(round(due - target, 1)), 1),
        Step("due by now", 0, due, number_text(due), 4),
        Step("to date", 0, value, number_text(value), 0),
        missing if gap < 0 else over,
    ]
