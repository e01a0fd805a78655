"""Rosters: all reps as each import left them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from services.routing.domain.roster import Roster
from services.routing.queries.reps import rep_of, select_reps
from services.routing.tables import reps, rosters

MAX_CACHED = 16
"""How many rosters, or rep loads of allocations, are cached; those in use are soon loaded again."""


def save_roster(session: Session) -> None:
    """Keep all reps as they are now, unless the newest roster has them so."""
    now = _all_reps(session)
    newest = select(rosters.c.reps).order_by(rosters.c.id.desc()).limit(1)
    if session.scalar(newest) != now:
        session.execute(insert(rosters).values(reps=now))


def renew_roster(session: Session) -> None:
    """Keep all reps anew, so that leads that wait for their owners are decided by what is in force now."""
    session.execute(insert(rosters).values(reps=_all_reps(session)))


def _all_reps(session: Session) -> list[dict[str, Any]]:
    statement = select_reps().order_by(reps.c.id)
    return [dict(row) for row in session.execute(statement).mappings()]


class Rosters:
    """Rosters, each loaded once, as a roster never changes. Safe for many threads."""

    def __init__(self) -> None:
        self._cache: dict[int, Roster] = {}

    def current(self, session: Session) -> Roster:
        """The newest; an empty one where none was imported. Call it under a team's lock: an import takes them all."""
        newest = session.scalar(select(func.max(rosters.c.id)))
        return Roster(0, {}) if newest is None else self.roster(session, newest)

    def roster(self, session: Session, id: int) -> Roster:
        """The roster with this id."""
        roster = self._cache.get(id)
        if roster is None:
            columns = session.scalars(select(rosters.c.reps).where(rosters.c.id == id)).one()
            roster = Roster.of(id, [rep_of(it) for it in columns])
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[id] = roster
        return roster
