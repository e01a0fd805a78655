"""The promises of both sides to date, in words, numbers and pictures."""

from __future__ import annotations

from typing import Any

import pytest

from services.console.report.promises import promises_sections, value_text
from services.console.report.sections import NONE


def promise(**fields: Any) -> dict[str, Any]:
    """A promise of marketing as the API answers with it, half a month after its beginning."""
    return {
        "side": "marketing",
        "id": "mqls",
        "measure": "qualified",
        "detail": None,
        "where": None,
        "per": "month",
        "since": "2026-11-01",
        "until": "2026-11-30",
        "verdict": "behind",
        "value": 180.0,
        "is_at_most": False,
        "target": 400.0,
        "due": 200.0,
        "unit": "leads",
        "n": 180,
        "at_least_n": 10,
        "why": None,
        "working_days_passed": 10.5,
        "working_days": 21.0,
        "cannot_reach": None,
        "leads": "/v1/alignment/leads?promise=mqls&since=2026-11-01&until=2026-11-18",
        **fields,
    }


def report(*items: dict[str, Any], goal: dict[str, Any] | None = None) -> dict[str, Any]:
    """The promises as the API answers with them."""
    return {"since": "", "until": "", "agreement_version": 3, "items": items, "goal": goal}


def row(**fields: Any) -> list[str]:
    """The cells of one promise."""
    marketing, _ = promises_sections(report(promise(**fields)))
    [cells] = marketing.rows
    return [cell.text for cell in cells]


def test_a_promise_of_a_number_has_a_waterfall_and_opens_its_leads() -> None:
    marketing, sales = promises_sections(report(promise()))

    [cells] = marketing.rows
    assert [it.text for it in cells] == [
        "mqls: qualified leads",
        "1 Nov to 30 Nov 2026",
        "at least 400",
        "200",
        "180",
        "180",
        "behind",
    ]
    assert cells[4].href == "/alignment/leads?promise=mqls&since=2026-11-01&until=2026-11-18"
    assert cells[6].state == "behind"
    for text in ("promised", "not due yet", "\N{MINUS SIGN}200", "missing", "\N{MINUS SIGN}20"):
        assert f">{text}</text>" in marketing.picture
    assert sales.rows == []
    assert "has no promise of sales" in sales.empty


@pytest.mark.parametrize(
    ("least", "text", "href"), [(450, "at least 450", "/alignment/capacity"), (None, NONE, "")]
)
def test_what_is_known_in_part_is_said_and_opened(least: int | None, text: str, href: str) -> None:
    fields = {"measure": "capacity", "value": None, "value_at_least": least}
    marketing, _ = promises_sections(
        report(promise(**fields, why="28 of 30 dates", leads="/v1/alignment/capacity"))
    )

    [cells] = marketing.rows
    assert (cells[4].text, cells[4].href) == (text, href)


def test_what_is_over_the_due_part_is_added_in_the_waterfall() -> None:
    marketing, _ = promises_sections(report(promise(value=230.0, verdict="ahead")))
    assert ">+30</text>" in marketing.picture
    assert ">over</text>" in marketing.picture


@pytest.mark.parametrize(
    ("fields", "cells"),
    [
        (
            {
                "measure": "acceptance_rate",
                "unit": "share",
                "target": 0.7,
                "due": 0.7,
                "value": 0.5,
            },
            ["at least 70\u2009%", "70\u2009%", "50\u2009%", "180", "behind"],
        ),
        (
            {"measure": "handover_time", "unit": "seconds", "is_at_most": True, "target": 300.0}
            | {"due": 300.0, "value": 3_700.0},
            ["at most 5 min", "5 min", "1 h 1 min", "180", "behind"],
        ),
        (
            {"unit": "EUR", "target": 1e9, "due": 5e8, "value": None, "verdict": "unknown"}
            | {"why": "no value", "n": 0},
            [
                "at least 1\u2009000\u2009000\u2009000 EUR",
                "500\u2009000\u2009000 EUR",
                "\u2013",
                "0",
                "not known: no value",
            ],
        ),
        (
            {"measure": "win_rate", "unit": "share", "target": 0.1, "due": 0.1, "value": 1.0}
            | {"n": 1, "verdict": "too_few", "why": "too few (1)"},
            ["at least 10\u2009%", "10\u2009%", "100\u2009%", "1", "too few (1)"],
        ),
        (
            {"cannot_reach": "the quota takes 500 leads per month"},
            ["at least 400", "200", "180", "180", "behind; the quota takes 500 leads per month"],
        ),
    ],
    ids=["share", "time", "amount", "too few", "quota"],
)
def test_values_are_in_their_units(fields: dict[str, Any], cells: list[str]) -> None:
    assert row(**fields)[2:] == cells


def test_a_promise_says_what_it_is_about() -> None:
    words = row(measure="completeness", detail="company job_title", where='team == "emea"')[0]
    assert words == 'mqls: qualified leads that have company, job title, where team == "emea"'


@pytest.mark.parametrize(
    ("measure", "detail", "words"),
    [
        ("win_rate", "90d", "won within 90 days"),
        ("handover_time", "p95", "to its assignment, for 95\u2009% of leads"),
        ("handover_time", None, "to its assignment"),
        ("attainment", "accept", "promises kept of the policy accept"),
    ],
)
def test_what_a_measure_needs_is_said_in_words(
    measure: str, detail: str | None, words: str
) -> None:
    assert row(measure=measure, detail=detail)[0].endswith(words)


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (
            2_000.4,
            "33.3 customers at 9\u2009000 EUR, 2\u2009000 leads at a close rate of 6\u2009%.",
        ),
        (None, "per quarter."),
    ],
)
def test_the_goal_by_the_quota_stands_beside_the_promises(needed: float | None, words: str) -> None:
    goal = {
        "per": "quarter",
        "currency": "EUR",
        "revenue": 480_000.0,
        "average_deal": 9_000.0,
        "close_rate": 0.06,
        "customers": 33.33,
        "leads_needed": needed,
        "leads": 10,
    }
    marketing, _ = promises_sections(report(promise(), goal=goal))
    assert marketing.note.endswith(words)
    assert "The quota takes 480\u2009000 EUR from marketing per quarter" in marketing.note


def test_nothing_and_all_in_their_units() -> None:
    assert value_text(0, "attempts") == "0"
    assert value_text(0.0, "seconds") == "0 s"
    assert value_text(999.6, "EUR") == "1\u2009000 EUR"
