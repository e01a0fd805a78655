"""Who agreed, when, and whether that holds today, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.console.report.parties import parties_section

TODAY = date(2026, 11, 18)
SIGNED = {"owner": "Dana Ruiz", "signed_on": "2026-11-02"}


def report(**fields: Any) -> dict[str, Any]:
    """The promises as the API answers with them, of which this reads who agreed."""
    parties = {
        "marketing": SIGNED,
        "sales": {"owner": "Felix Brandt", "signed_on": None},
        "review": "weekly",
        "effective_from": "2026-11-01",
        "effective_until": "2027-01-31",
        **fields,
    }
    return {"agreement_version": 3, "parties": parties}


def texts(**fields: Any) -> list[list[str]]:
    """The cells of the rows."""
    return [[it.text for it in row] for row in parties_section(report(**fields), TODAY).rows]


def test_both_owners_stand_with_their_signatures() -> None:
    section = parties_section(report(), TODAY)

    assert texts() == [
        ["Marketing", "Dana Ruiz", "signed on 2 Nov 2026", "signed"],
        ["Sales", "Felix Brandt", "\u2013", "not signed"],
        ["The agreement", "both sides", "from 1 Nov 2026 to 31 Jan 2027", "holds"],
    ]
    assert [row[3].state for row in section.rows] == ["met", "behind", "met"]
    assert section.note.startswith(
        "By agreement version 3, which both sides look at together weekly."
    )


def test_a_side_that_names_nobody_is_open() -> None:
    assert texts(marketing=None)[0] == ["Marketing", "nobody is named", "\u2013", "open"]


@pytest.mark.parametrize(
    ("first", "last", "words", "state"),
    [
        ("2026-11-19", None, "begins tomorrow", "behind"),
        ("2026-12-01", None, "begins in 13 days", "behind"),
        ("2026-11-18", None, "holds", "met"),
        ("2026-11-01", "2026-12-19", "holds", "met"),
        ("2026-11-01", "2026-12-18", "ends in 30 days: agree anew", "behind"),
        ("2026-11-01", "2026-11-18", "ends today: agree anew", "behind"),
        ("2026-11-01", "2026-11-17", "ended on 17 Nov 2026: agree anew", "missed"),
    ],
)
def test_an_agreement_says_when_it_ends(
    first: str, last: str | None, words: str, state: str
) -> None:
    fields = {"effective_from": first, "effective_until": last}

    cell = parties_section(report(**fields), TODAY).rows[2][3]

    assert (cell.text, cell.state) == (words, state)


def test_without_an_end_it_holds_on() -> None:
    assert texts(effective_until=None)[2][2] == "from 1 Nov 2026 on"


def test_without_dates_there_is_no_row_of_both() -> None:
    assert len(texts(effective_from=None, effective_until=None)) == 2


@pytest.mark.parametrize(
    ("version", "words"), [(3, "does not say who agreed"), (None, "No agreement is published")]
)
def test_who_agreed_is_missing(version: int | None, words: str) -> None:
    section = parties_section({"agreement_version": version, "parties": None}, TODAY)

    assert (section.rows, section.note) == ([], "")
    assert words in section.empty


def test_a_service_of_before_does_not_say_who_agreed() -> None:
    assert parties_section({"agreement_version": 3}, TODAY).rows == []
