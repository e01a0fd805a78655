"""Absences of reps, as ops record and end them: they take effect at once, and imports of the file keep them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.roster import NoSuchRep, RecordedAbsence
from services.routing.queries import absences, reps, rosters, teams


def record_absence(
    session: Session, rep_id: str, recorded: RecordedAbsence | None, *, now: datetime
) -> None:
    """Give the rep this absence in place of the former one, or none; waiting leads of the team are reviewed.

    All teams are locked, as by an import, because a roster holds the reps of all. Raises NoSuchRep.
    """
    teams.lock_teams(session, reps.teams_with_reps(session))
    rep = next(iter(reps.reps_by_id(session, [rep_id])), None)
    if rep is None:
        raise NoSuchRep(f"there is no rep {rep_id!r}; GET /v1/reps shows all reps")
    former = absences.absences_by_rep(session, [rep_id]).get(rep_id)

    changed = rep.with_absence(recorded, instead_of=former)

    if recorded is None:
        absences.delete_absence(session, rep_id)
    else:
        absences.save_absence(session, rep_id, recorded, now=now)
    reps.save_time_off(session, changed)
    rosters.save_roster(session)
    teams.review_teams(session, [rep.team], at=now)
