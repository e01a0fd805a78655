"""The reps who come before all others: the owner of the lead's account, and the rep who had the lead before."""

from __future__ import annotations

from collections.abc import Sequence

from services.routing.domain.assignment.eligibility import Exclusion, ExclusionReason, MatchedLead
from shared.agreement.model import Strategy

STICKY = "sticky"
"""The strategy of a lead that goes back to the rep of its previous handoff."""
OWNER = Strategy.OWNER.value
"""The strategy of a lead that goes to the owner of its account."""

TEMPORARY = frozenset(
    {
        ExclusionReason.FULL,
        ExclusionReason.FULL_TODAY,
        ExclusionReason.TIME_OFF,
        ExclusionReason.CLOSED,
    }
)
"""Exclusions that end: a lead may wait for its owner while there are only such."""


def precedence(lead: MatchedLead, *, waits: bool) -> list[tuple[str, str]]:
    """The reps who come before the rule's ranking, the first one first, each with the strategy that it is named by.

    A lead that `waits` for its owner has no other.
    """
    reps = []
    if lead.owner is not None and lead.rule.asks_owner:
        reps.append((lead.owner, OWNER))
    if lead.previous_rep is not None and lead.rule.sticky and not waits:
        reps.append((lead.previous_rep, STICKY))
    return reps


def waits_for_owner(lead: MatchedLead, excluded: Sequence[Exclusion]) -> bool:
    """Whether the lead waits for its owner, who is excluded for these reasons."""
    rule = lead.rule
    return (
        rule.strategy is Strategy.OWNER
        and rule.otherwise == "wait"
        and bool(excluded)
        and all(it.reason in TEMPORARY for it in excluded)
    )


def reserved(reps: Sequence[tuple[str, str]]) -> Exclusion:
    """The exclusion of everybody else where only these reps may have the lead."""
    names = " or ".join(dict.fromkeys(rep for rep, _ in reps))
    return Exclusion(ExclusionReason.RESERVED, f"only {names} may have this lead here")
