"""The worker's tick: a re-route, or steps of ladders; else waiting handoffs follow the agreement, and go to reps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.handlers.assignment import Assigner, assign_in_team
from services.routing.handlers.escalations import advance_escalations
from services.routing.handlers.owners import in_teams_of_owners
from services.routing.handlers.reroutes import advance_reroutes
from services.routing.queries import handoffs, teams

MAX_MOVED = 500
"""How many waiting handoffs one tick brings under a newer agreement."""


def tick(session: Session, now: datetime, *, assigner: Assigner) -> bool:
    """Bring waiting handoffs under the newest agreement, and assign those of teams whose review is due.

    While a re-route runs or steps of ladders are pending, a tick does nothing but a part of these, because that has
    locked its teams already. Returns whether there is more to do at once.
    """
    if advance_reroutes(session, assigner=assigner, now=now):
        return True
    if advance_escalations(session, assigner=assigner, now=now):
        return True
    oldest = handoffs.oldest_waiting_version(session)
    if oldest is not None:
        _apply_newest_agreement(session, oldest, assigner=assigner, now=now)
    for team in teams.claim_due_teams(session, now=now):
        assign_in_team(session, team, (), assigner=assigner, now=now)
    return False


def _apply_newest_agreement(
    session: Session, oldest: int, *, assigner: Assigner, now: datetime
) -> None:
    """Match waiting handoffs with the rules of the newest agreement, which may name other teams."""
    policy = assigner.policies.current(session)
    if oldest >= policy.version:
        return
    outdated = handoffs.waiting_under_older(session, policy.version, limit=MAX_MOVED)

    moved = in_teams_of_owners(
        session,
        [policy.moved(it) for it in outdated],
        policy=policy,
        rosters=assigner.rosters,
    )

    team_ids = {it.team for it in (*outdated, *moved)}
    teams.lock_teams(session, team_ids)
    still_waiting = {it.id for it in handoffs.locked_waiting(session, [it.id for it in moved])}
    handoffs.save_rulings(session, [it for it in moved if it.id in still_waiting])
    teams.review_teams(session, team_ids, at=now)
