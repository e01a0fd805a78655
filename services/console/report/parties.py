"""Who agreed on the promises, when, and for how long that holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from services.console.report.periods import date_text
from services.console.report.sections import NONE, Cell, Column, Section

TITLE: Final = "Who agreed"
SIDES: Final = {"marketing": "Marketing", "sales": "Sales"}
SOON_DAYS: Final = 30
"""So many days before its end an agreement has to be renewed."""

COLUMNS: Final = [Column(it, is_number=False) for it in ("Side", "Owner", "When", "State")]


def parties_section(report: Mapping[str, Any], today: date) -> Section:
    """The owners of both sides with their signatures, and whether the agreement holds today."""
    parties = report.get("parties")
    version = report["agreement_version"]
    return Section(
        "parties",
        TITLE,
        COLUMNS,
        [] if parties is None else _rows(parties, today),
        note="" if parties is None else _note(parties, version),
        empty="No agreement is published yet: it says what each side promises, and who answers for it."
        if version is None
        else "The agreement does not say who agreed: its section `parties` names the owner of each side, and when "
        "they signed.",
        command="leadbaton agreement reference",
    )


def _note(parties: Mapping[str, Any], version: int) -> str:
    return (
        f"By agreement version {version}, which both sides look at together {parties['review']}. The owner of a side "
        "answers for its promises."
    )


def _rows(parties: Mapping[str, Any], today: date) -> list[list[Cell]]:
    rows = [_side(title, parties[side]) for side, title in SIDES.items()]
    if parties["effective_from"] is not None:
        rows.append(_validity(parties, today))
    return rows


def _side(title: str, party: Mapping[str, Any] | None) -> list[Cell]:
    if party is None:
        return [Cell(title), Cell("nobody is named"), Cell(NONE), Cell("open", state="missed")]
    signed_on = party["signed_on"]
    if signed_on is None:
        return [Cell(title), Cell(party["owner"]), Cell(NONE), Cell("not signed", state="behind")]
    return [
        Cell(title),
        Cell(party["owner"]),
        Cell(f"signed on {date_text(date.fromisoformat(signed_on))}"),
        Cell("signed", state="met"),
    ]


def _validity(parties: Mapping[str, Any], today: date) -> list[Cell]:
    """For which days the agreement is meant, and whether today is one of them."""
    first = date.fromisoformat(parties["effective_from"])
    last = date.fromisoformat(parties["effective_until"] or "9999-12-31")
    end = f" to {date_text(last)}" if parties["effective_until"] else " on"
    return [
        Cell("The agreement"),
        Cell("both sides"),
        Cell(f"from {date_text(first)}{end}"),
        _state(first, last, today),
    ]


def _state(first: date, last: date, today: date) -> Cell:
    """Whether the agreement holds today, in words."""
    if today < first:
        return Cell(f"begins {_in_days((first - today).days)}", state="behind")
    if today > last:
        return Cell(f"ended on {date_text(last)}: agree anew", state="missed")
    left = (last - today).days
    if left <= SOON_DAYS:
        return Cell(f"ends {_in_days(left)}: agree anew", state="behind")
    return Cell("holds", state="met")


def _in_days(days: int) -> str:
    match days:
        case 0:
            return "today"
        case 1:
            return "tomorrow"
    return f"in {days} days"
