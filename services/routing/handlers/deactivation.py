"""The deactivation of a rep beside the file: at once, as an import does that leaves the rep out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.notifications import rep_endpoint
from services.routing.domain.roster import NoSuchRep
from services.routing.queries import deliveries, reps, rosters, teams
from shared.auth.queries import suspend_reps_keys


def deactivate_rep(session: Session, rep_id: str, *, now: datetime) -> int:
    """Give the rep no more leads, suspend the rep's keys and cancel what is still to be sent; returns how much that is.

    What the rep holds stays with the rep. All teams are locked, as by an import. Raises NoSuchRep.
    """
    teams.lock_teams(session, reps.teams_with_reps(session))
    everybody = reps.reps_by_id(session)
    if all(it.id != rep_id for it in everybody):
        raise NoSuchRep(f"there is no rep {rep_id!r}; GET /v1/reps shows all reps")

    active = [it.id for it in everybody if it.active and it.id != rep_id]

    reps.save_activity(session, rep_id, is_active=False)
    suspend_reps_keys(session, active=active, now=now)
    rosters.save_roster(session)
    return deliveries.cancel_for_endpoints(session, [rep_endpoint(rep_id)], now=now)
