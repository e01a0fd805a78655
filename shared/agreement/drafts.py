"""Drafts of an agreement: what is wrong with one, what is in it, and how it differs from a version."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff

from shared.agreement.load import InvalidAgreement, parse
from shared.agreement.model import Agreement
from shared.documents import Fault


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that was checked: the agreement, or every fault."""

    agreement: Agreement | None
    faults: tuple[Fault, ...] = ()


def check_draft(source: str, *, name: str) -> Draft:
    """Check the draft as publishing it does."""
    try:
        return Draft(parse(source, name=name))
    except InvalidAgreement as invalid:
        return Draft(None, invalid.faults)


def contents(agreement: Agreement) -> str:
    """What the agreement has, in one line."""
    rules = len(agreement.scoring.fit) + len(agreement.scoring.signals)
    routing = agreement.routing
    return (
        f"{rules} scoring rules, {len(agreement.qualification.tiers)} tiers, "
        f"{len(routing.rules)} routing rules, {len(routing.teams)} teams, {len(agreement.sla.policies)} promises"
    )


def difference(before: str, after: str, *, names: tuple[str, str]) -> list[str]:
    """The lines that differ between two files, with three lines around each, as `diff -u` writes them."""
    lines = unified_diff(before.splitlines(), after.splitlines(), *names)
    return [it.rstrip("\n") for it in lines]
