"""Absences: time off that ops recorded beside the file of reps, one a rep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.roster import Absence, RecordedAbsence
from services.routing.tables import absences


def absences_by_rep(
    session: Session, reps: Sequence[str] | None = None
) -> dict[str, RecordedAbsence]:
    """The absence of each rep who has one; of these reps, or of all."""
    statement = select(*absences.c)
    if reps is not None:
        statement = statement.where(absences.c.rep.in_(reps))
    return {
        row.rep: RecordedAbsence(Absence(row.since, row.until), row.actor)
        for row in session.execute(statement)
    }


def save_absence(session: Session, rep: str, recorded: RecordedAbsence, *, now: datetime) -> None:
    """Save the absence in place of any other of the rep."""
    columns = {
        "since": recorded.absence.since,
        "until": recorded.absence.until,
        "actor": recorded.actor,
        "recorded_at": now,
    }
    statement = insert(absences).values(rep=rep, **columns)
    session.execute(statement.on_conflict_do_update(index_elements=[absences.c.rep], set_=columns))


def delete_absence(session: Session, rep: str) -> None:
    """Delete the rep's absence, if there is one."""
    session.execute(delete(absences).where(absences.c.rep == rep))


def delete_past_absences(session: Session, *, now: datetime) -> None:
    """Delete absences that are over."""
    session.execute(delete(absences).where(absences.c.until <= now))
