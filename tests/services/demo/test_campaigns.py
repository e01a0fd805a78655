"""What marketing was told of its campaigns, as the demonstration prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from services.demo.campaigns import print_outcomes

NONE = {"day": "2026-11-28", "qualified": 0, "accepted": 0, "rejected": 0, "won": 0, "revenue": []}


def printed(outcomes: Sequence[dict[str, Any]]) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        print_outcomes(outcomes, console)
    return " ".join(capture.get().split())


def test_the_campaign_with_most_leads_is_first() -> None:
    revenue = [
        {"currency": "EUR", "amount": 12_000.5, "wins": 1},
        {"currency": "USD", "amount": 3.0, "wins": 1},
    ]
    autumn = NONE | {"campaign": "autumn", "qualified": 1}
    spring = NONE | {"campaign": "spring", "qualified": 4, "won": 2, "revenue": revenue}

    text = printed([autumn, spring])

    rows = "2026-11-28 spring 4 0 0 2 12,000.50 EUR + 3.00 USD 2026-11-28 autumn 1 0 0 0"
    assert rows in text
    assert "campaign.outcome" in text


def test_where_nothing_came_it_says_when_the_next_come() -> None:
    assert "Nothing new" in printed([])
