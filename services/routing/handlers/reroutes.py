"""Re-routes: a plan of who would get a rep's handoffs, and its execution some at a time once ops confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.routing.domain.assignment.request import UnknownRep
from services.routing.domain.handoff import Handoff
from services.routing.domain.queue import QueuedHandoff
from services.routing.domain.reassignment import Reassignment, without_rep
from services.routing.domain.reroutes import (
    Move,
    Reroute,
    RerouteState,
    movable,
    with_outcomes,
)
from services.routing.handlers.assignment import Assigner, lock_teams_of, propose, queue_of
from services.routing.handlers.reassignment import reassign_held
from services.routing.queries import handoffs, merges, reps, reroutes, teams
from shared.errors import Rejected

MAX_PLANNED = 2_000
"""The most handoffs of a re-route; of a rep who holds more, those that are assigned first."""

REROUTED_AT_ONCE = 200
"""Handoffs that one transaction re-routes, so that a team's other leads do not wait long."""

_in_team = attrgetter("handoff.team")


class UnknownReroute(Rejected):
    """There is no such re-route."""

    code: ClassVar[str] = "unknown_reroute"
    status: ClassVar[int] = 404


class RerouteRunning(Rejected):
    """Another re-route of this rep runs."""

    code: ClassVar[str] = "reroute_running"
    status: ClassVar[int] = 409


def plan_reroute(
    session: Session, rep: str, *, command: Reassignment, assigner: Assigner, now: datetime
) -> Reroute:
    """Plan who would get the rep's handoffs by the loads of this moment; nothing else changes. Raises UnknownRep.

    It replaces earlier plans for the rep that were not confirmed.
    """
    if not reps.reps_by_id(session, [rep]):
        raise UnknownRep(f"there is no rep {rep!r}; `leadbaton reps list` shows all reps")
    held = handoffs.held_of(session, rep, limit=MAX_PLANNED)

    moves = [
        Move(position, handoff.id, handoff.hop, planned_rep)
        for position, (handoff, planned_rep) in enumerate(
            _planned(session, held, command=command, assigner=assigner, now=now)
        )
    ]
    reroute = Reroute(uuid4(), rep, command.actor, command.reason, RerouteState.PLANNED, now)

    reroutes.delete_plans(session, rep)
    reroutes.add_reroute(session, reroute, moves)
    return reroute


def _planned(
    session: Session,
    held: list[Handoff],
    *,
    command: Reassignment,
    assigner: Assigner,
    now: datetime,
) -> Iterator[tuple[Handoff, str | None]]:
    """Each handoff with the rep who would get it, team by team, in the order in which they would be assigned."""
    queue = queue_of(session, list(map(without_rep, held)), assigner=assigner, command=command)
    while queue:
        queue.sort(key=lambda it: (it.handoff.team, it.turn))
        leaving: list[QueuedHandoff] = []
        for _, items in groupby(queue, key=_in_team):
            decisions = propose(session, list(items), assigner=assigner, now=now).decisions
            leaving += decisions.leaving
            for item, choice in decisions.choices:
                yield item.handoff, choice.rep
        queue = leaving


def confirm_reroute(session: Session, id: UUID, *, now: datetime) -> Reroute:
    """Let the workers carry out the plan; raises UnknownReroute, RerouteRunning or RerouteEnded."""
    planned = find_reroute(session, id)
    others = reroutes.locked_of_rep(session, planned.rep)
    planned = _locked(session, id)
    if any(it.state is RerouteState.RUNNING and it.id != id for it in others):
        raise RerouteRunning(
            f"another re-route of {planned.rep} runs: wait for its end, or cancel it"
        )
    confirmed = planned.confirmed(now)
    reroutes.save_reroute(session, confirmed)
    return confirmed


def cancel_reroute(session: Session, id: UUID, *, now: datetime) -> Reroute:
    """End the re-route; what it has moved stays where it is. Raises UnknownReroute or RerouteEnded."""
    cancelled = _locked(session, id).cancelled(now)
    reroutes.save_reroute(session, cancelled)
    return cancelled


def advance_reroutes(
    session: Session, *, assigner: Assigner, now: datetime, limit: int = REROUTED_AT_ONCE
) -> int:
    """Carry out the next `limit` moves of a running re-route; returns how many there were, 0 where none runs.

    A handoff that its rep does not hold any more, or holds in a later hop, is skipped. One that is being answered
    at this moment is left for the next part: the teams are locked before the handoffs, so this may wait for no answer.
    """
    merges.share_lock(session)
    reroute = reroutes.claim_running(session)
    if reroute is None:
        return 0
    pending = reroutes.pending_moves(session, reroute.id, limit=limit + 1)
    moves = pending[:limit]
    ids = [it.handoff_id for it in moves]
    planned = movable(moves, handoffs.handoffs_by_id(session, ids), rep=reroute.rep)
    lock_teams_of(session, planned, assigner=assigner)
    held = handoffs.claim_held(session, ids)
    answered = handoffs.held_among(session, {it.id for it in planned} - held.keys())

    moved = movable(moves, held, rep=reroute.rep)

    reassign_held(session, moved, command=reroute.command, assigner=assigner, now=now)
    after = handoffs.handoffs_by_id(session, {it.id for it in moved})
    ended = [it for it in moves if it.handoff_id not in answered]
    reroutes.save_outcomes(session, reroute.id, with_outcomes(ended, after))
    if len(pending) <= limit and not answered:
        reroutes.save_reroute(session, reroute.done(now))
        # the rep may have room for leads that wait
        teams.review_teams(session, {it.team for it in moved}, at=now)
    return len(moves)


def find_reroute(session: Session, id: UUID) -> Reroute:
    """The re-route; raises UnknownReroute."""
    reroute = reroutes.find_reroute(session, id)
    if reroute is None:
        raise _unknown(id)
    return reroute


def _locked(session: Session, id: UUID) -> Reroute:
    reroute = reroutes.locked_reroute(session, id)
    if reroute is None:
        raise _unknown(id)
    return reroute


def _unknown(id: UUID) -> UnknownReroute:
    return UnknownReroute(f"no re-route {id}: a plan is replaced by a newer one for the same rep")
