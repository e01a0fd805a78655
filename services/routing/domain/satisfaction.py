"""Contacts about the satisfaction of a customer: the only answers that a won handoff takes."""

from __future__ import annotations

from services.routing.domain.handoff import Handoff, State
from shared.agreement.model import Agreement

SATISFACTION = "satisfaction"


def satisfaction_outcomes(handoff: Handoff, agreement: Agreement) -> list[str]:
    """The outcomes of contacts that meet promises of satisfaction about this handoff; none unless it is won."""
    if handoff.state is not State.WON:
        return []
    facts = handoff.promise_facts
    outcomes = (
        outcome
        for promise in agreement.sla.policies
        if promise.kind == SATISFACTION and (promise.when is None or promise.when.holds(facts))
        for outcome in promise.outcomes
    )
    return list(dict.fromkeys(outcomes))
