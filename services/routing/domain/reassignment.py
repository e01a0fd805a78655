"""Reassignments: commands of ops that take a handoff from its rep and assign it to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.routing.domain.answers import PastStep
from services.routing.domain.assignment.eligibility import RequestedRep
from services.routing.domain.handoff import Handoff, State
from shared.contracts.payloads import Change

BY_OPS = "reassigned_by_ops"
"""The reason where ops give none."""


@dataclass(frozen=True, slots=True)
class Reassignment:
    """A command of ops, or a step of a ladder."""

    actor: str
    reason: str = BY_OPS
    request: RequestedRep | None = None
    """The rep who shall get it; None: the one whom the strategy prefers."""


def is_repeated(command: Reassignment, past: Sequence[PastStep], *, hop: int) -> bool:
    """Whether the command ended this hop before."""
    return any(
        it.change in (Change.ASSIGNED, Change.REASSIGNED)
        and it.hop == (hop if it.rep is None else hop + 1)
        and (command.request is None or it.rep == command.request.rep)
        and it.actor == command.actor
        and it.details == {"reason": command.reason}
        for it in past
    )


def without_rep(handoff: Handoff) -> Handoff:
    """The handoff as it waits for another rep."""
    return handoff._replace(
        state=State.WAITING,
        rep=None,
        calendar=None,
        paused_until=None,
        pause_reason=None,
        pooled=False,
    )
