"""The reps and their endpoints, as the file says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.desk import Rep
from services.routing.tables import endpoints, reps, teams


def teams_with_reps(session: Session) -> set[str]:
    """The teams that somebody is in now."""
    return set(session.scalars(select(reps.c.team).distinct()))


def active_reps(session: Session) -> int:
    """How many reps may get leads."""
    return session.scalar(select(func.count()).where(reps.c.active)) or 0


def save_reps(session: Session, roster: Sequence[Rep]) -> list[str]:
    """Keep the reps as they are now; those who are not among them become inactive: their ids."""
    statement = insert(reps)
    rows = [
        asdict(it)
        | {"time_off": [[a.since.isoformat(), a.until.isoformat()] for a in it.time_off]}
        | {name: list(getattr(it, name)) for name in _LISTS}
        for it in roster
    ]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[reps.c.id],
            set_={name: statement.excluded[name] for name in rows[0] if name != "id"},
        ),
        rows,
    )
    gone = (
        update(reps)
        .where(reps.c.active, reps.c.id.not_in([it.id for it in roster]))
        .values(active=False)
        .returning(reps.c.id)
    )
    return sorted(session.scalars(gone))


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
        session.execute(
            update(endpoints)
            .where(
                endpoints.c.id == id,
                or_(endpoints.c.url != url, endpoints.c.disabled_at.is_not(None)),
            )
            .values(url=url, disabled_at=None, disabled_because=None)
        )


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


_LISTS = ("territories", "languages", "skills", "segments")
