"""What campaigns cost and brought in a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from services.console.formats import number_text, percent_text
from services.console.plots import Bar, BarRow, horizontal_bars
from services.console.report.attribution import MODELS
from services.console.report.funnel import others_text, period_text
from services.console.report.sections import (
    NONE,
    Cell,
    Column,
    Section,
    amount_text,
    count_cell,
    dates_of,
    leads_href,
    wins_href,
)

TITLE: Final = "Campaigns by cost and revenue"
SPEND: Final = "/alignment/spend"
"""The page of what is behind a cost."""
MAX_BARS: Final = 8
REASONS: Final = {
    "no_spend": "cost unknown",
    "no_rate": "a part has no rate",
    "no_money": "no section money",
    "no_cost": "cost nothing",
    "no_terms": "no margin or churn in money",
    "no_wins": "no wins",
}
"""Why a figure is not there."""

COLUMNS: Final = [
    Column("Campaign", is_number=False),
    *(Column(it) for it in ("Qualified", "Rejected", "Won", "Credited", "Cost")),
    *(Column(it) for it in ("Cost per lead", "Cost per customer", "ROI")),
]


def campaigns_section(
    report: Mapping[str, Any], *, kept: Mapping[str, str] | None = None
) -> Section:
    """The campaigns, the most expensive first, and all together; `kept` are the parameters of the page."""
    items, currency = report["items"], report["currency"]
    rows = [
        _row(
            it,
            _name(it["campaign"], kept or dates_of(report)),
            _Links(report, {"campaign": it["campaign"]}),
        )
        for it in items
    ]
    if report.get("others") is not None:
        others = Cell(others_text(report["others_campaigns"], "campaign"))
        rows.append([Cell(it.text) for it in _row(report["others"], others, _Links(report, {}))])
    if rows:
        rows.append(_row(report["total"], Cell("All"), _Links(report, {})))
    return Section(
        "campaigns",
        TITLE,
        COLUMNS,
        rows,
        note=_note(report),
        picture=_picture(items, currency) if currency and rows else Markup(),
        empty="Nothing is known of a campaign in this period. Costs come from files: campaign, period, amount.",
        command="leadbaton campaigns import FILE.csv",
    )


def _note(report: Mapping[str, Any]) -> str:
    version, currency = report["agreement_version"], report["currency"]
    by = "no agreement" if version is None else f"agreement version {version}"
    left_out = report["campaigns"] - len(report["items"])
    how = "in one row" if report.get("others") is not None else "not listed"
    more = f" {number_text(left_out)} more are {how}." if left_out > 0 else ""
    added = f"Amounts in {currency}, credited by the model {MODELS[report['model']]}"
    if not currency:
        added = "No amounts are added, as the agreement has no section money"
    return (
        f"What happened {period_text(report)}, each thing on its day. {added}; {by}. "
        f"ROI is credited less cost, divided by cost. Lifetime value of a customer: {_lifetime_text(report)}.{more}"
    )


def _lifetime_text(report: Mapping[str, Any]) -> str:
    value = report["lifetime_value"]
    if value is None:
        return REASONS.get(report["lifetime_not_computed"], "not known")
    return amount_text(value, report["currency"])


def _name(campaign: str | None, kept: Mapping[str, str]) -> Cell:
    """The campaign, which leads to the funnel of its leads."""
    if campaign is None:
        return Cell("no campaign")
    return Cell(campaign, f"/alignment?{urlencode({**kept, 'campaign': campaign})}")


class _Links:
    """The pages behind the figures of a campaign, of the leads without one (None), or of all (no campaign at all)."""

    def __init__(self, report: Mapping[str, Any], campaign: Mapping[str, str | None]) -> None:
        self.currency: str | None = report["currency"]
        self._dates = dates_of(report)
        self._campaign = campaign

    def leads(self, stage: str) -> str:
        """The leads that came to the stage in the days of the report."""
        return leads_href(self._dates, stage, counted_by="happened", **self._campaign)

    def wins(self) -> str:
        """The wins that are credited."""
        group = {"group": self._campaign["campaign"] or ""} if self._campaign else {}
        return wins_href(self._dates, "campaign", **group)

    def spend(self, item: Mapping[str, Any]) -> str:
        """The amounts that the cost is the sum of; of leads without a campaign no cost is known."""
        has_spend = item["spend"] is not None or item["spend_apart"]
        campaign = {name: value for name, value in self._campaign.items() if value}
        return f"{SPEND}?{urlencode({**self._dates, **campaign})}" if has_spend else ""


def _row(item: Mapping[str, Any], name: Cell, links: _Links) -> list[Cell]:
    currency = links.currency
    reason = REASONS.get(item["cost_not_computed"] or "", NONE)
    roi = REASONS.get(item["roi_not_computed"] or "", NONE)
    credit = _sum_text(item["attributed"], item["attributed_apart"], currency, NONE)
    is_credited = bool(item["attributed"] or item["attributed_apart"])
    wins = links.wins() if is_credited else ""
    return [
        name,
        *(count_cell(item[it], links.leads(it)) for it in ("qualified", "rejected", "won")),
        Cell(credit, wins),
        Cell(_sum_text(item["spend"], item["spend_apart"], currency, reason), links.spend(item)),
        _cost_cell(item["cost_per_qualified"], links, "qualified", reason),
        _cost_cell(item["cac"], links, "won", reason),
        Cell(roi) if item["roi"] is None else Cell(percent_text(item["roi"]), wins),
    ]


def _cost_cell(amount: float | None, links: _Links, stage: str, reason: str) -> Cell:
    """The cost of each lead that came to the stage, which leads to these leads."""
    text = _amount(amount, links.currency, reason)
    return Cell(text, links.leads(stage) if amount is not None else "")


def _amount(amount: float | None, currency: str | None, reason: str) -> str:
    return reason if amount is None or not currency else amount_text(amount, currency)


def _sum_text(
    amount: float | None, apart: Sequence[Mapping[str, Any]], currency: str | None, reason: str
) -> str:
    """The sum, and beside it the amounts that have no rate, which are never added."""
    parts = [] if amount is None or not currency else [amount_text(amount, currency)]
    parts += [amount_text(it["amount"], it["currency"]) for it in apart]
    return " + ".join(parts) or reason


def _picture(items: Sequence[Mapping[str, Any]], currency: str) -> Markup:
    rows = [
        BarRow(
            it["campaign"] or "no campaign",
            [
                Bar(it["spend"], _amount(it["spend"], currency, "cost unknown"), 1),
                Bar(it["attributed"], _amount(it["attributed"], currency, NONE), 0),
            ],
        )
        for it in items[:MAX_BARS]
    ]
    return horizontal_bars(TITLE, rows, ["credited", "cost"])
