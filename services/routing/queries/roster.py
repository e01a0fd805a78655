"""The reps and their endpoints, as the file says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.desk import Absence, Crew, Rep
from services.routing.queries.breakers import close_breakers
from services.routing.tables import HELD, endpoints, handoffs, reps, rosters, teams

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


class Crews:
    """Rosters, each read once: one never changes. Many threads may ask."""

    def __init__(self) -> None:
        self._read: dict[int, Crew] = {}

    def current(self, session: Session) -> Crew:
        """The newest; nobody where none was imported. Ask under a team's lock: an import takes them all."""
        newest = session.scalar(select(func.max(rosters.c.id)))
        return Crew(0, {}) if newest is None else self.crew(session, newest)

    def crew(self, session: Session, id: int) -> Crew:
        """That one."""
        known = self._read.get(id)
        if known is None:
            found = session.scalars(select(rosters.c.reps).where(rosters.c.id == id)).one()
            known = Crew(id, {it["id"]: _rep(it) for it in found})
            if len(self._read) >= MAX_READ:
                self._read.clear()
            self._read[id] = known
        return known


def endpoint_ids(session: Session) -> set[str]:
    """Every endpoint there is."""
    return set(session.scalars(select(endpoints.c.id)))


def add_endpoints(session: Session, urls: Mapping[str, str], secrets: Mapping[str, bytes]) -> None:
    """New endpoints with their encrypted secrets."""
    rows = [{"id": id, "url": urls[id], "secret": secret} for id, secret in secrets.items()]
    if rows:
        session.execute(insert(endpoints), rows)


def save_urls(session: Session, urls: Mapping[str, str]) -> None:
    """Each endpoint's URL; one that changed, or that had been disabled, is used again."""
    for id, url in urls.items():
        changed = session.execute(
            update(endpoints)
            .where(
                endpoints.c.id == id,
                or_(endpoints.c.url != url, endpoints.c.disabled_at.is_not(None)),
            )
            .values(url=url, disabled_at=None, disabled_because=None)
            .returning(endpoints.c.id)
        )
        close_breakers(session, changed.scalars().all())


def an_encrypted_secret(session: Session) -> bytes | None:
    """Some endpoint's secret, to see whether our key opens it."""
    return session.scalar(select(endpoints.c.secret).limit(1))


def disabled_endpoints(session: Session) -> dict[str, str]:
    """Endpoints that nothing is sent to any more, and why."""
    statement = select(endpoints.c.id, endpoints.c.disabled_because).where(
        endpoints.c.disabled_at.is_not(None)
    )
    return dict(session.execute(statement).all())


def review_teams(session: Session, ids: Collection[str], *, at: datetime) -> None:
    """Look again at who waits in these teams."""
    session.execute(update(teams).where(teams.c.id.in_(ids)).values(review_at=at))


def _reps() -> Select[*tuple[Any, ...]]:
    return select(*(reps.c[it.name] for it in fields(Rep)))


def _rep(said: Mapping[Any, Any]) -> Rep:
    off = tuple(Absence(*map(datetime.fromisoformat, it)) for it in said["time_off"])
    return Rep(**{**said, **{it: tuple(said[it]) for it in _LISTS}, "time_off": off})


_LISTS = ("territories", "languages", "skills", "segments")
