"""What campaigns cost and brought, in words where a figure is not known."""

from __future__ import annotations

from typing import Any

import pytest

from services.console.report.campaigns import MAX_BARS, campaigns_section


def campaign(name: str | None = "autumn", **fields: Any) -> dict[str, Any]:
    """A campaign as the API answers with it."""
    return {
        "campaign": name,
        "qualified": 40,
        "rejected": 4,
        "won": 2,
        "attributed": 12_000.0,
        "attributed_apart": [],
        "spend": 4_000.0,
        "spend_apart": [],
        "cost_per_qualified": 100.0,
        "cac": 2_000.0,
        "cost_not_computed": None,
        "roi": 2.0,
        "roi_not_computed": None,
        **fields,
    }


def report(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The table of campaigns as the API answers with it."""
    return {
        "since": "2026-11-16",
        "until": "2026-11-22",
        "agreement_version": 3,
        "currency": "EUR",
        "model": "w_shaped",
        "lifetime_value": 480_000.0,
        "lifetime_not_computed": None,
        "campaigns": len(items),
        "total": campaign(None),
        "items": items,
        **fields,
    }


def first_row(item: dict[str, Any], **fields: Any) -> list[str]:
    """The cells of one campaign."""
    return [cell.text for cell in campaigns_section(report(item, **fields)).rows[0]]


def test_a_campaign_has_its_costs_and_what_it_brought() -> None:
    section = campaigns_section(report(campaign()))

    assert [cell.text for cell in section.rows[0]] == [
        "autumn",
        *("40", "4", "2"),
        "12\u2009000 EUR",
        "4\u2009000 EUR",
        "100 EUR",
        "2\u2009000 EUR",
        "200\u2009%",
    ]
    assert section.rows[0][0].href == "/alignment?since=2026-11-16&until=2026-11-22&campaign=autumn"
    dates = "since=2026-11-16&until=2026-11-22"
    assert [it.href for it in section.rows[0][1:5]] == [
        *(
            f"/alignment/leads?{dates}&stage={stage}&counted_by=happened&campaign=autumn"
            for stage in ("qualified", "rejected", "won")
        ),
        f"/alignment/wins?{dates}&by=campaign&group=autumn",
    ]
    assert "campaign=autumn" not in section.rows[-1][1].href
    assert section.rows[-1][0].text == "All"
    assert "credited by the model W-shaped; agreement version 3" in section.note
    assert "Lifetime value of a customer: 480\u2009000 EUR." in section.note
    assert section.picture.count("<rect") == 4


@pytest.mark.parametrize(
    ("fields", "cells"),
    [
        (
            {"spend": None, "cost_per_qualified": None, "cac": None, "roi": None}
            | {"cost_not_computed": "no_spend", "roi_not_computed": "no_spend"},
            ["12\u2009000 EUR", *["cost unknown"] * 4],
        ),
        (
            {"spend": 0.0, "cost_per_qualified": 0.0, "cac": None, "roi": None}
            | {"roi_not_computed": "no_cost"},
            ["12\u2009000 EUR", "0 EUR", "0 EUR", "\u2013", "cost nothing"],
        ),
        (
            {"spend_apart": [{"currency": "CHF", "amount": 5.5}], "roi": -0.5},
            [
                "12\u2009000 EUR",
                "4\u2009000 EUR + 5.5 CHF",
                "100 EUR",
                "2\u2009000 EUR",
                "\N{MINUS SIGN}50\u2009%",
            ],
        ),
    ],
    ids=["unknown", "nothing", "apart"],
)
def test_what_is_not_known_is_said_in_words(fields: dict[str, Any], cells: list[str]) -> None:
    assert first_row(campaign(**fields))[4:] == cells


def test_without_a_section_money_nothing_is_added() -> None:
    nothing = dict.fromkeys(("attributed", "spend", "cost_per_qualified", "cac", "roi"))
    item = campaign(**nothing, cost_not_computed="no_money", roi_not_computed="no_money")
    fields = {"currency": None, "lifetime_value": None, "lifetime_not_computed": "no_money"}

    section = campaigns_section(report(item, **fields, agreement_version=None))

    assert [it.text for it in section.rows[0]][4:] == ["\u2013", *["no section money"] * 4]
    assert not section.picture
    assert "No amounts are added" in section.note
    assert "no agreement" in section.note


def test_of_many_campaigns_the_most_expensive_have_bars() -> None:
    items = [campaign(str(number)) for number in range(MAX_BARS + 3)]

    section = campaigns_section(report(*items, campaigns=500))

    assert len(section.rows) == MAX_BARS + 4
    assert section.picture.count('height="16"') == 2 * MAX_BARS
    assert section.note.endswith("489 more are not listed.")


def test_without_campaigns_it_says_how_costs_come_in() -> None:
    section = campaigns_section(report())

    assert list(section.rows) == []
    assert section.command == "leadbaton campaigns import FILE.csv"


def test_leads_without_a_campaign_are_those_of_which_it_is_not_known() -> None:
    [cell, leads, *_] = campaigns_section(report(campaign(None))).rows[0]
    assert (cell.text, cell.href) == ("no campaign", "")
    assert leads.href.endswith("&unknown=campaign")


def test_campaigns_that_are_not_listed_are_a_row_without_links() -> None:
    others = campaign(None, qualified=1234)
    section = campaigns_section(
        report(campaign(), campaigns=12_346, others=others, others_campaigns=12_345)
    )

    [_, row, total] = section.rows
    assert [cell.text for cell in row][:2] == ["12\u2009345 other campaigns", "1\u2009234"]
    assert {cell.href for cell in row} == {""}
    assert total[0].text == "All"
    assert "12\u2009345 more are in one row." in section.note
