"""Whether the steps of a handoff have kept a promise, as far as its rep is shown promises that are left."""

from __future__ import annotations

from collections.abc import Sequence

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.satisfaction import SATISFACTION
from shared.agreement.model import Policy
from shared.contracts.payloads import Change

_KEPT = {
    "accept": (State.ACCEPTED, State.CONTACTED),
    "first_touch": (State.CONTACTED,),
}
"""The states of a held handoff in which promises of a kind are kept."""


def is_kept(promise: Policy, handoff: Handoff, steps: Sequence[PastStep]) -> bool:
    """Whether the rep has nothing left to do for the promise; a hop counts its own contacts, a journey all."""
    contacts = [
        it
        for it in steps
        if it.change is Change.CONTACTED and (promise.scope == "journey" or it.hop == handoff.hop)
    ]
    if promise.kind == SATISFACTION:
        won = next(index for index, it in enumerate(steps) if it.change is Change.WON)
        contacts = [it for it in steps[won:] if it.change is Change.CONTACTED]
    if promise.kind in ("meeting", SATISFACTION):
        return any(it.details.get("outcome") in promise.outcomes for it in contacts)
    if promise.kind == "attempts":
        return _has_attempted(promise, contacts)
    return handoff.state in _KEPT.get(promise.kind, ())


def _has_attempted(promise: Policy, contacts: Sequence[PastStep]) -> bool:
    attempts = sorted(it.occurred_at for it in contacts if it.details.get("attempt") is not False)
    is_enough = len(attempts) >= promise.count and attempts[-1] - attempts[0] >= promise.spread
    return is_enough or any(it.details.get("reached") for it in contacts)
