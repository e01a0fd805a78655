"""Groups that the funnel and attribution do not list are a row, which leads to no list."""

from __future__ import annotations

from typing import Any

import pytest

from services.console.report.attribution import MODELS, attribution_section
from services.console.report.funnel import groups_section

COUNTS = ("qualified", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged")
OLDER: dict[str, Any] = {}
"""What a service adds that has listed all groups."""


def group(name: str | None, **fields: Any) -> dict[str, Any]:
    """A group of the funnel as the API answers with it."""
    rates = {"acceptance_rate": 0.5, "attainment": None}
    usual = dict.fromkeys(COUNTS, 1) | rates | {"revenue": [], "wins_without_amount": 1}
    return {"group": name, "first_version": 1, "last_version": 1, **usual, **fields}


FUNNEL: dict[str, Any] = {
    "by": "campaign",
    "since": "2026-11-16",
    "until": "2026-11-22",
    "total": group(None),
    "items": [group("autumn")],
}
CREDIT: dict[str, Any] = {
    "by": "campaign",
    "since": "2026-11-16",
    "until": "2026-11-22",
    "agreement_version": 1,
    "show": "linear",
    "won": 3,
    "wins_without_amount": 0,
    "items": [
        {"group": "autumn", "is_touched": True, "currency": "EUR", **dict.fromkeys(MODELS, 1.0)}
    ],
}


@pytest.mark.parametrize(
    "added", [OLDER, {"others": None, "others_groups": 0}], ids=["older", "all"]
)
def test_without_others_there_is_no_such_row(added: dict[str, Any]) -> None:
    assert len(groups_section({**FUNNEL, **added}, {}, {}).rows) == 1
    credit = {} if added is OLDER else {"others": [], "others_groups": 0}
    assert len(attribution_section({**CREDIT, **credit}).rows) == 1


def test_others_of_the_funnel_are_the_last_row() -> None:
    added = {"others": group(None, qualified=20_000), "others_groups": 12_345}
    [_, row] = groups_section({**FUNNEL, **added}, {}, {}).rows

    assert row[0].text == "12\u2009345 other campaigns"
    assert "20\u2009000" in [cell.text for cell in row]
    assert {cell.href for cell in row} == {""}


def test_others_of_attribution_are_a_row_of_each_currency() -> None:
    others = [{**CREDIT["items"][0], "group": None, "currency": it} for it in ("EUR", "USD")]
    rows = attribution_section({**CREDIT, "others": others, "others_groups": 7}).rows

    assert [(it[0].text, it[1].text) for it in rows[1:]] == [
        ("7 other campaigns", "EUR"),
        ("7 other campaigns", "USD"),
    ]
    assert {cell.href for row in rows[1:] for cell in row} == {""}
