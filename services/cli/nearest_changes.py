"""Sentences on what would have given a decision another pick, and on how far its pick came before the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.routing.domain.assignment.nearest_change import Measure

_FEWER = {
    Measure.SHORTFALL: ("lead this period", "leads this period"),
    Measure.OPEN: ("open handoff", "open handoffs"),
    Measure.RANK: ("place in the file of reps", "places in the file of reps"),
}

_BY_PRECEDENCE = {
    Measure.NAMED: "as ops named them",
    Measure.PREVIOUS_REP: "as the lead's previous rep",
    Measure.OWNER: "as the owner of the account",
}


def change_text(change: Mapping[str, Any] | None) -> str:
    """When the candidate would have been picked; empty where the record says nothing about it."""
    if change is None:
        return ""
    count = len(change["exclusions"])
    parts = [f"without {'this' if count == 1 else 'these'}"] if count else []
    if change["gap"] is not None:
        parts.append(_gap_text(change["gap"]))
    return " and ".join(parts)


def margin_text(decision: Mapping[str, Any]) -> str:
    """That the candidate was picked, and how far before the next."""
    margin = decision["margin"]
    if not decision["reproduced"]:
        return "did; this version would decide otherwise from the same record"
    measure, rival = Measure(margin["measure"]), margin["rival"]
    if measure in _BY_PRECEDENCE:
        return f"did, {_BY_PRECEDENCE[measure]}" + (f"; before {rival}" if rival else "")
    if rival is None:
        return "did, as the only eligible rep"
    if not margin["by"]:
        return f"did, tied with {rival}"
    return f"did, {margin['by']:g} ({measure}) before {rival}"


def _gap_text(gap: Mapping[str, Any]) -> str:
    measure = Measure(gap["measure"])
    if measure is Measure.NAMED:
        return f"if ops had not named {gap['rival']}"
    if measure is Measure.PREVIOUS_REP:
        return f"if {gap['rival']} had not had the lead before"
    if measure is Measure.OWNER:
        return f"if {gap['rival']} did not own the account"
    tie = "tied with" if not gap["lacked"] else "behind"
    singular, plural = _FEWER[measure]
    noun = singular if gap["fewer"] == 1 else plural
    return f"with {gap['fewer']} {noun} fewer, {tie} {gap['rival']}"
