"""The teams: their locks, and when their waiting handoffs are to be reviewed.

The order of locks, of which the teams' are one, is in docs/development.md.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.tables import teams


def lock_teams(session: Session, ids: Collection[str]) -> dict[str, datetime | None]:
    """When each team's waiting handoffs are to be reviewed; locked, so that its leads are assigned one by one."""
    review_at = _locked(session, ids)
    if len(review_at) < len(set(ids)):
        missing = [{"id": it} for it in sorted(set(ids) - review_at.keys())]
        session.execute(insert(teams).values(missing).on_conflict_do_nothing())
        review_at = _locked(session, ids)
    return review_at


def lock_free_teams(session: Session, ids: Collection[str]) -> set[str]:
    """Those of the teams that no other transaction has locked, locked; a team without a row counts as locked."""
    statement = (
        select(teams.c.id)
        .where(teams.c.id.in_(ids))
        .order_by(teams.c.id)
        .with_for_update(skip_locked=True)
    )
    return set(session.scalars(statement))


def _locked(session: Session, ids: Collection[str]) -> dict[str, datetime | None]:
    if not ids:
        return {}
    statement = (
        select(teams.c.id, teams.c.review_at)
        .where(teams.c.id.in_(ids))
        .order_by(teams.c.id)
        .with_for_update()
    )
    return {row.id: row.review_at for row in session.execute(statement)}


def claim_due_teams(session: Session, *, now: datetime) -> list[str]:
    """Teams whose review is due, locked; teams that another router has locked are skipped."""
    statement = (
        select(teams.c.id)
        .where(teams.c.review_at <= now)
        .order_by(teams.c.id)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(statement))


def save_review(session: Session, team: str, *, at: datetime | None, replaces: bool) -> None:
    """Save when the team's waiting handoffs are to be reviewed; None: no instant is known.

    With `replaces` the stored instant is replaced; without it the earlier of the two is stored.
    """
    if at is None and not replaces:
        return
    review_at = at if replaces else func.least(teams.c.review_at, at)
    session.execute(update(teams).where(teams.c.id == team).values(review_at=review_at))


def review_teams(session: Session, ids: Collection[str], *, at: datetime) -> None:
    """Set the instant at which the waiting handoffs of these teams are reviewed."""
    session.execute(update(teams).where(teams.c.id.in_(ids)).values(review_at=at))
