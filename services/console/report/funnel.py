"""The funnel of a period: how many leads came how far, in all and by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console.formats import number_text, percent_text
from services.console.plots import Bar, BarRow, horizontal_bars
from services.console.report.periods import dates_text
from services.console.report.sections import (
    ANSWERED,
    NONE,
    Cell,
    Column,
    Section,
    amount_text,
    count_cell,
    leads_href,
    share_cell,
    versions_text,
)

FIRST_STAGES: Final = {"known": "Known", "engaged": "Engaged"}
"""The stages of leads that became so in the period, whether they qualified or not."""

STAGES: Final = {
    "qualified": "Qualified",
    "assigned": "Assigned",
    "accepted": "Accepted",
    "contacted": "Contacted",
    "won": "Won",
}
"""The stages that a lead passes on its way to a win."""

OTHERS: Final = {
    "rejected": "Rejected",
    "lost": "Lost",
    "recycled": "Back to marketing",
    "merged": "Merged with another lead",
}
"""What else becomes of leads."""

GROUP_STAGES: Final = ("qualified", "accepted", "rejected", "contacted", "won", "lost", "recycled")
GROUPS: Final = ("team", "campaign", "channel", "persona", "source", "tier", "rep")
NOBODY: Final = {"rep": "nobody yet"}
INCOMPLETE: Final = (
    " Known and engaged are too low: leads that were known before the upgrade are still announced."
)
EMPTY: Final = "No lead qualified in this period."
COMMAND: Final = "leadbaton demo"


def funnel_section(report: Mapping[str, Any], period: Mapping[str, str]) -> Section:
    """The stages of all leads that qualified in the period, and how many became known and engaged in it."""
    total = report["total"]
    qualified = total["qualified"]
    rows = [
        [Cell(title), known_cell(total.get(stage), leads_href(period, stage)), share_cell(None)]
        for stage, title in FIRST_STAGES.items()
    ]
    rows += [
        [
            Cell(title),
            count_cell(total[stage], leads_href(period, stage)),
            share_cell(_share(total[stage], qualified, stage), leads_href(period, stage)),
        ]
        for stage, title in {**STAGES, **OTHERS}.items()
        if stage in STAGES or total[stage]
    ]
    is_empty = not (qualified or total["merged"] or total.get("known") or total.get("engaged"))
    return Section(
        "funnel",
        "The funnel",
        [Column("Stage", is_number=False), Column("Leads"), Column("Of qualified")],
        [] if is_empty else rows,
        note=f"{n_text(qualified)} that qualified {period_text(report)}, {versions_text(total)}. Counted by "
        "when they qualified, whenever the rest happened: these figures still grow. Known and engaged are the leads "
        f"that became so in the period.{_incomplete_text(report)}",
        **({} if is_empty else {"picture": horizontal_bars("The funnel", _bars(total))}),
        empty=EMPTY,
        command=COMMAND,
    )


def rates_section(report: Mapping[str, Any], period: Mapping[str, str]) -> Section:
    """The shares of the same leads, each with the number that it is a share of, and what they brought."""
    total = report["total"]
    answered = total["accepted"] + total["rejected"]
    promised = total["promises_met"] + total["promises_broken"]
    every, won = leads_href(period, "qualified"), leads_href(period, "won")
    rows = [
        _first_rate("Engaged, of known in the period", total, "engaged", "known", period),
        _first_rate("Qualified, of engaged in the period", total, "qualified", "engaged", period),
        [
            Cell("Accepted, of those that sales has answered"),
            share_cell(total["acceptance_rate"], _leads(period, **ANSWERED, kept="true")),
            count_cell(answered, _leads(period, **ANSWERED)),
        ],
        [
            Cell("Contacted, of qualified"),
            share_cell(total["contact_rate"], leads_href(period, "contacted")),
            count_cell(total["qualified"], every),
        ],
        [
            Cell("Won so far, of qualified"),
            share_cell(total["win_rate"], won),
            count_cell(total["qualified"], every),
        ],
        [
            Cell("Promises of sales kept, of those judged"),
            share_cell(total["attainment"], _leads(period, promises="met")),
            count_cell(promised, _leads(period, promises="any")),
        ],
        [Cell("Revenue"), revenue_cell(total, won), count_cell(total["won"], won)],
    ]
    columns = [Column("Measure", is_number=False), Column("Figure"), Column("n")]
    return Section(
        "rates",
        "Rates and revenue",
        columns,
        rows if total["qualified"] or total.get("known") else [],
        note=f"Of the same leads, {versions_text(total)}.{_incomplete_text(report)}",
    )


def groups_section(
    report: Mapping[str, Any], period: Mapping[str, str], names: Mapping[str, str]
) -> Section:
    """The same by group: campaigns, sources, tiers, teams or reps, of which `names` has the names."""
    by = report["by"]
    columns = [
        Column(by.capitalize(), is_number=False),
        *(Column(it) for it in FIRST_STAGES.values()),
        *(Column(it) for it in ("Qualified", "Accepted", "Rejected", "Contacted", "Won", "Lost")),
        *(Column(it) for it in ("Recycled", "Accept rate", "Promises kept", "Revenue")),
    ]
    rows = [
        [
            Cell(group_text(by, item["group"], names)),
            *(
                known_cell(item.get(it), leads_href(period, it, **{by: item["group"]}))
                for it in (*FIRST_STAGES, *GROUP_STAGES)
            ),
            *_shares(item, period, **{by: item["group"]}),
        ]
        for item in report["items"]
    ]
    rows += _others(report)
    return Section(
        "groups",
        f"By {by}",
        columns,
        rows,
        note=f"{n_text(report['total']['qualified'])} that qualified {period_text(report)}, "
        f"{versions_text(report['total'])}.{_incomplete_text(report)}",
        empty=EMPTY,
        command=COMMAND,
    )


def _incomplete_text(report: Mapping[str, Any]) -> str:
    """That known leads are missing, if some are and the report has such counts."""
    is_counted = report["total"].get("known") is not None
    return INCOMPLETE if is_counted and not report.get("is_known_complete", True) else ""


def _others(report: Mapping[str, Any]) -> list[list[Cell]]:
    """A row of the groups that are not listed, which leads to no list; an older service has listed all."""
    others = report.get("others")
    if others is None:
        return []
    counts = [known_cell(others.get(it), "") for it in (*FIRST_STAGES, *GROUP_STAGES)]
    rates = [share_cell(others[it]) for it in ("acceptance_rate", "attainment")]
    name = others_text(report["others_groups"], report["by"])
    return [[Cell(name), *counts, *rates, Cell(revenue_text(others))]]


def others_text(count: int, by: str) -> str:
    """What stands in place of the names of groups that are not listed."""
    return f"{number_text(count)} other {by}{'' if count == 1 else 's'}"


def _shares(item: Mapping[str, Any], period: Mapping[str, str], **group: str | None) -> list[Cell]:
    return [
        share_cell(item["acceptance_rate"], _leads(period, **ANSWERED, kept="true", **group)),
        share_cell(item["attainment"], _leads(period, promises="met", **group)),
        revenue_cell(item, leads_href(period, "won", **group)),
    ]


def _leads(period: Mapping[str, str], **parameters: str | None) -> str:
    return leads_href(period, "qualified", **parameters)


def known_cell(count: int | None, href: str) -> Cell:
    """A count, or a dash where leads are not counted before they qualify, as by team."""
    return Cell(NONE) if count is None else count_cell(count, href)


def group_text(by: str, group: str | None, names: Mapping[str, str]) -> str:
    """The group's name; those of which it is not known have none."""
    return NOBODY.get(by, f"no {by}") if group is None else names.get(group, group)


def n_text(count: int) -> str:
    """How many leads a figure is of."""
    return f"{number_text(count)} lead{'' if count == 1 else 's'}"


def period_text(report: Mapping[str, Any]) -> str:
    """The dates of a report."""
    return f"{dates_text(report['since'], report['until'])} (days of UTC)"


def revenue_text(item: Mapping[str, Any]) -> str:
    """What was won by currency, and how many wins are worth an unknown amount."""
    amounts = [amount_text(it["amount"], it["currency"]) for it in item["revenue"]]
    unknown = item["wins_without_amount"]
    if unknown:
        amounts.append(f"{number_text(unknown)} of unknown amount")
    return ", ".join(amounts) or NONE


def revenue_cell(item: Mapping[str, Any], href: str) -> Cell:
    """What was won by currency, which leads to the wins."""
    return Cell(revenue_text(item), href if item["won"] else "")


def _bars(total: Mapping[str, Any]) -> list[BarRow]:
    """A bar a stage; those before sales only where they are counted."""
    first = [
        BarRow(title, [Bar(total[stage], number_text(total[stage]))])
        for stage, title in FIRST_STAGES.items()
        if total.get(stage) is not None
    ]
    return first + [
        BarRow(title, [Bar(total[stage], _stage_text(total[stage], total["qualified"]))])
        for stage, title in STAGES.items()
    ]


def _first_rate(
    title: str, total: Mapping[str, Any], stage: str, before: str, period: Mapping[str, str]
) -> list[Cell]:
    """The ratio of two counts of the period, which need not be of the same leads."""
    return [
        Cell(title),
        share_cell(total.get(f"{stage}_rate"), leads_href(period, stage)),
        known_cell(total.get(before), leads_href(period, before)),
    ]


def _share(count: int, qualified: int, stage: str) -> float | None:
    """The share of the qualified leads; none for merged ones, which are in no other count."""
    return count / qualified if qualified and stage != "merged" else None


def _stage_text(count: int, qualified: int) -> str:
    share = f" ({percent_text(count / qualified)})" if qualified else ""
    return f"{number_text(count)}{share}"
