"""The reps and their endpoints, as the file says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.roster import Absence, Rep, Roster
from services.routing.tables import HELD, handoffs, reps, rosters, teams

MAX_READ = 16
"""So many rosters are remembered; those in use are soon read again."""


def teams_with_reps(session: Session) -> set[str]:
    """The teams that somebody is in now."""
    return set(session.scalars(select(reps.c.team).distinct()))


def active_reps(session: Session) -> int:
    """How many reps may get leads."""
    return session.scalar(select(func.count()).where(reps.c.active)) or 0


def inactive_reps(session: Session) -> list[str]:
    """Who gets no leads any more."""
    return list(session.scalars(select(reps.c.id).where(~reps.c.active).order_by(reps.c.id)))


def locked_activity(session: Session, rep: str) -> bool | None:
    """Whether the rep is active, None where there is none; an import waits until the transaction ends, or before it."""
    statement = select(reps.c.active).where(reps.c.id == rep).with_for_update(read=True)
    return session.scalar(statement)


def held_by_inactive(session: Session) -> dict[str, int]:
    """How many handoffs each rep holds who gets none any more; `open` of `count_again` is the truth."""
    statement = select(reps.c.id, reps.c.open).where(~reps.c.active, reps.c.open > 0)
    return {row.id: row.open for row in session.execute(statement.order_by(reps.c.id))}


def save_reps(session: Session, roster: Sequence[Rep]) -> list[str]:
    """Keep the reps as they are now; those who are not among them become inactive: their ids."""
    statement = insert(reps)
    rows = [
        asdict(it)
        | {"time_off": [[a.since.isoformat(), a.until.isoformat()] for a in it.time_off]}
        | {name: list(getattr(it, name)) for name in _LISTS}
        for it in roster
    ]
    said = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    stays = case((reps.c.team == statement.excluded.team, reps.c.period))  # or is new to the team
    session.execute(
        statement.on_conflict_do_update(index_elements=[reps.c.id], set_={**said, "period": stays}),
        rows,
    )
    gone = (
        update(reps)
        .where(reps.c.active, reps.c.id.not_in([it.id for it in roster]))
        .values(active=False)
        .returning(reps.c.id)
    )
    return sorted(session.scalars(gone))


def reps_by_id(session: Session, ids: Iterable[str] | None = None) -> list[Rep]:
    """All reps, or these, by team and place."""
    statement = _reps().order_by(reps.c.team, reps.c.position)
    if ids is not None:
        statement = statement.where(reps.c.id.in_(list(ids)))
    return [_rep(row) for row in session.execute(statement).mappings()]


def keep_roster(session: Session) -> None:
    """Keep all reps as they are now, unless they are as they were."""
    now = [dict(row) for row in session.execute(_reps().order_by(reps.c.id)).mappings()]
    newest = select(rosters.c.reps).order_by(rosters.c.id.desc()).limit(1)
    if session.scalar(newest) != now:
        session.execute(insert(rosters).values(reps=now))


def count_again(session: Session) -> None:
    """Count what each rep holds; the caller holds every team's lock. It is as it was, unless somebody wrote past us."""
    holds = (
        select(func.count())
        .where(handoffs.c.rep == reps.c.id, handoffs.c.state.in_(HELD))
        .scalar_subquery()
    )
    session.execute(update(reps).values(open=holds).where(reps.c.open != holds))


class Rosters:
    """Rosters, each read once: one never changes. Many threads may ask."""

    def __init__(self) -> None:
        self._read: dict[int, Roster] = {}

    def current(self, session: Session) -> Roster:
        """The newest; nobody where none was imported. Ask under a team's lock: an import takes them all."""
        newest = session.scalar(select(func.max(rosters.c.id)))
        return Roster(0, {}) if newest is None else self.roster(session, newest)

    def roster(self, session: Session, id: int) -> Roster:
        """That one."""
        known = self._read.get(id)
        if known is None:
            found = session.scalars(select(rosters.c.reps).where(rosters.c.id == id)).one()
            known = Roster(id, {it["id"]: _rep(it) for it in found})
            if len(self._read) >= MAX_READ:
                self._read.clear()
            self._read[id] = known
        return known


def review_teams(session: Session, ids: Collection[str], *, at: datetime) -> None:
    """Look again at who waits in these teams."""
    session.execute(update(teams).where(teams.c.id.in_(ids)).values(review_at=at))


def _reps() -> Select[*tuple[Any, ...]]:
    return select(*(reps.c[it.name] for it in fields(Rep)))


def _rep(said: Mapping[Any, Any]) -> Rep:
    off = tuple(Absence(*map(datetime.fromisoformat, it)) for it in said["time_off"])
    return Rep(**{**said, **{it: tuple(said[it]) for it in _LISTS}, "time_off": off})


_LISTS = ("territories", "languages", "skills", "segments")
