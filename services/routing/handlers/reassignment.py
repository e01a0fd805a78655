"""Reassignments by ops: handoffs are taken from their reps, and assigned to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.answers import HandoffMoved, state_text
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.reassignment import Reassignment, is_repeated, without_rep
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assignment import (
    Assigner,
    assign_in_team,
    assign_queue,
    lock_teams_of,
    queue_of,
)
from services.routing.handlers.withdrawals import notify_withdrawals, take_from_reps
from services.routing.queries import changes, handoffs, merges


def on_reassignment(
    session: Session,
    id: UUID,
    command: Reassignment,
    *,
    hop: int,
    assigner: Assigner,
    now: datetime,
) -> None:
    """Take the handoff from the rep of this hop and assign it anew; a command that is sent twice counts once.

    Raises UnknownHandoff, HandoffMoved, UnknownRep or NotEligible.
    """
    merges.share_lock(session)
    before = _find(session, id)
    locked = _locked(session, before, assigner=assigner)
    if is_repeated(command, changes.past_steps(session, id), hop=hop):
        return
    if locked is None or locked.hop != hop or not _is_movable(locked, command):
        moved = state_text(_find(session, id))
        raise HandoffMoved(f"handoff {id} has moved on: it is {moved}")
    queue = queue_of(session, [without_rep(locked)], assigner=assigner, command=command)

    held = [locked] if locked.state.held else []
    take_from_reps(session, held, now=now)
    if command.request is not None:
        assign_queue(session, queue, assigner=assigner, now=now)
        queue = []
    assign_in_team(session, locked.team, queue, assigner=assigner, now=now)
    notify_withdrawals(
        session,
        held,
        reason=command.reason,
        actor=command.actor,
        public_url=assigner.public_url,
        now=now,
    )


def _is_movable(handoff: Handoff, command: Reassignment) -> bool:
    """Whether the command may assign it: held and pooled ones to whom the rules choose, waiting ones to a named rep."""
    return handoff.state.held or handoff.pooled or command.request is not None


def reassign_held(
    session: Session,
    held: Sequence[Handoff],
    *,
    command: Reassignment,
    assigner: Assigner,
    now: datetime,
) -> None:
    """Take these handoffs, which the caller has locked, from their reps and assign them in their teams."""
    lock_teams_of(session, held, assigner=assigner)
    queue = queue_of(session, list(map(without_rep, held)), assigner=assigner, command=command)

    take_from_reps(session, held, now=now)
    for team in sorted({it.team for it in held}):
        items = [it for it in queue if it.handoff.team == team]
        assign_in_team(session, team, items, assigner=assigner, now=now, drain=False)
    notify_withdrawals(
        session,
        held,
        reason=command.reason,
        actor=command.actor,
        public_url=assigner.public_url,
        now=now,
    )


def _find(session: Session, id: UUID) -> Handoff:
    handoff = handoffs.find_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    return handoff


def _locked(session: Session, handoff: Handoff, *, assigner: Assigner) -> Handoff | None:
    """The handoff and its team, locked in the order that all have; None if it is not waiting or held any more.

    A held handoff is locked before its team, as by an answer; a waiting one after it, as by an assignment.
    """
    if handoff.state is State.WAITING:
        lock_teams_of(session, [handoff], assigner=assigner)
        return next(iter(handoffs.locked_waiting(session, [handoff.id])), None)
    held = handoffs.locked_handoff(session, handoff.id)
    if held is None or not held.state.held:
        return None
    lock_teams_of(session, [held], assigner=assigner)
    return held
