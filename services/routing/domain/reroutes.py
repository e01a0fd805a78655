"""Re-routes: orders of ops that give a rep's handoffs to others, planned first and carried out once confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

from services.routing.domain.handoff import Handoff
from services.routing.domain.reassignment import Reassignment
from shared.errors import Rejected


class RerouteState(StrEnum):
    """How far a re-route is."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class MoveOutcome(StrEnum):
    """What became of a handoff of a re-route."""

    REASSIGNED = "reassigned"
    WAITING = "waiting"
    SKIPPED = "skipped"
    """The rep did not hold it any more."""


class RerouteEnded(Rejected):
    """The re-route is done, or was cancelled."""

    code: ClassVar[str] = "reroute_ended"
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Reroute:
    """An order of ops to give the handoffs of a rep to others."""

    id: UUID
    rep: str
    actor: str
    reason: str
    state: RerouteState
    planned_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def command(self) -> Reassignment:
        """The command by which each of its handoffs is taken from the rep."""
        return Reassignment(self.actor, self.reason)

    def confirmed(self, now: datetime) -> Reroute:
        """The re-route as it runs; it may be confirmed twice. Raises RerouteEnded for a cancelled one."""
        if self.state is RerouteState.CANCELLED:
            raise RerouteEnded(f"re-route {self.id} was cancelled: plan a new one")
        if self.state is not RerouteState.PLANNED:
            return self
        return replace(self, state=RerouteState.RUNNING, confirmed_at=now)

    def cancelled(self, now: datetime) -> Reroute:
        """The re-route after its end before it was done. Raises RerouteEnded for one that is done."""
        if self.state is RerouteState.DONE:
            raise RerouteEnded(f"re-route {self.id} is done: there is nothing left to cancel")
        if self.state is RerouteState.CANCELLED:
            return self
        return replace(self, state=RerouteState.CANCELLED, ended_at=now)

    def done(self, now: datetime) -> Reroute:
        """The re-route after its last handoff."""
        return replace(self, state=RerouteState.DONE, ended_at=now)


class Move(NamedTuple):
    """A handoff of a re-route: who would get it by the plan, and what became of it."""

    position: int
    handoff_id: UUID
    hop: int
    planned_rep: str | None
    outcome: MoveOutcome | None = None
    rep: str | None = None


def movable(moves: Sequence[Move], held: Mapping[UUID, Handoff], *, rep: str) -> list[Handoff]:
    """Those of the handoffs that the rep still holds, in the hop that the plan is about."""
    pairs = ((it, held.get(it.handoff_id)) for it in moves)
    return [
        handoff
        for move, handoff in pairs
        if handoff is not None and handoff.rep == rep and handoff.hop == move.hop
    ]


def with_outcomes(moves: Sequence[Move], after: Mapping[UUID, Handoff]) -> list[Move]:
    """The moves as they ended; `after` has the handoffs that were taken from the rep, as they are now."""
    return [_with_outcome(it, after.get(it.handoff_id)) for it in moves]


def _with_outcome(move: Move, after: Handoff | None) -> Move:
    if after is None:
        return move._replace(outcome=MoveOutcome.SKIPPED)
    outcome = MoveOutcome.WAITING if after.rep is None else MoveOutcome.REASSIGNED
    return move._replace(outcome=outcome, rep=after.rep)
