"""The teams' locks, and the reps as they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, any_, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.desk import Absence, Desk, Rep, Standing
from services.routing.queries.handoffs import held_by
from services.routing.tables import handoffs, hops, reps, shares, teams


def lock_teams(session: Session, ids: Collection[str]) -> dict[str, datetime | None]:
    """When to look again at who waits in each team; locked, so that its leads are given out one by one."""
    if not ids:
        return {}
    session.execute(
        insert(teams).values([{"id": it} for it in sorted(ids)]).on_conflict_do_nothing()
    )
    statement = (
        select(teams.c.id, teams.c.review_at)
        .where(teams.c.id.in_(ids))
        .order_by(teams.c.id)
        .with_for_update()
    )
    return {row.id: row.review_at for row in session.execute(statement)}


def claim_due_teams(session: Session, *, now: datetime) -> list[str]:
    """Teams where somebody may have become eligible, locked; those that another router has are skipped."""
    statement = (
        select(teams.c.id)
        .where(teams.c.review_at <= now)
        .order_by(teams.c.id)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(statement))


def review_again(session: Session, team: str, *, at: datetime | None, anew: bool) -> None:
    """When to look again at who waits; None: when something happens. Unless `anew`, not later than it was."""
    if at is None and not anew:
        return
    soonest = at if anew else func.least(teams.c.review_at, at)
    session.execute(update(teams).where(teams.c.id == team).values(review_at=soonest))


def standings_of(
    session: Session, desk: Desk, *, also: Collection[str], now: datetime
) -> list[Standing]:
    """The team's reps, and others by id, with the counts that decide; in the order of their ids."""
    bench = [
        (_rep(row), row.last_assigned_at)
        for row in session.execute(
            select(*reps.c)
            .where(or_(reps.c.team == desk.team, reps.c.id.in_(also)))
            .order_by(reps.c.id)
        )
    ]
    ids = [rep.id for rep, _ in bench]
    held, today = held_by(session, ids), _today(session, ids, desk, now)
    had = _shares(session, desk, now)
    return [
        Standing(
            rep=rep,
            open=held.get(rep.id, 0),
            today=today.get(rep.id, 0),
            assigned=had.get(rep.id, (0, 0.0))[0],
            credit=had.get(rep.id, (0, 0.0))[1],
            last_assigned_at=last_assigned_at,
            counted=rep.id in had,
        )
        for rep, last_assigned_at in bench
    ]


_SAVE_SHARES = text("""
    insert into routing.shares as held (team, period, rep, assigned, credit)
    select :team, :period, rep, assigned, credit
    from unnest(
        cast(:reps as text[]), cast(:assigned as integer[]), cast(:credits as double precision[])
    ) as had (rep, assigned, credit)
    on conflict (team, period, rep) do update set assigned = excluded.assigned, credit = excluded.credit
""")


def save_standings(
    session: Session, bench: Sequence[Standing], *, desk: Desk, now: datetime
) -> None:
    """Keep the shares that these of the team have in this period, and who was given a lead now."""
    own = [it for it in bench if it.rep.team == desk.team]
    if not own:
        return
    arguments = {
        "team": desk.team,
        "period": desk.period_of(now),
        "reps": [it.rep.id for it in own],
        "assigned": [it.assigned for it in own],
        "credits": [it.credit for it in own],
    }
    session.execute(_SAVE_SHARES, arguments)
    given = [it.rep.id for it in own if it.last_assigned_at == now]
    session.execute(
        update(reps)
        .where(reps.c.id == any_(literal(given, ARRAY(Text))))
        .values(last_assigned_at=now)
    )


def give_back(session: Session, handoff_id: UUID, hop: int) -> None:
    """A handoff that was handed back does not count against the rep, in the period in which it had counted."""
    session.execute(
        update(shares)
        .where(
            hops.c.handoff_id == handoff_id,
            hops.c.hop == hop,
            handoffs.c.id == hops.c.handoff_id,
            shares.c.team == handoffs.c.team,
            shares.c.period == hops.c.period,
            shares.c.rep == hops.c.rep,
        )
        .values(assigned=func.greatest(shares.c.assigned - 1, 0))
    )


def reps_by_id(session: Session, ids: Iterable[str] | None = None) -> list[Rep]:
    """All reps, or these, by team and place."""
    statement = select(*reps.c).order_by(reps.c.team, reps.c.position)
    if ids is not None:
        statement = statement.where(reps.c.id.in_(list(ids)))
    return [_rep(row) for row in session.execute(statement)]


def _today(session: Session, ids: Sequence[str], desk: Desk, now: datetime) -> dict[str, int]:
    statement = (
        select(hops.c.rep, func.count())
        .where(
            hops.c.rep == any_(literal(ids, ARRAY(Text))), hops.c.assigned_at >= desk.day_of(now)[0]
        )
        .group_by(hops.c.rep)
    )
    return {str(rep): count for rep, count in session.execute(statement)}


def _shares(session: Session, desk: Desk, now: datetime) -> dict[str, tuple[int, float]]:
    statement = select(shares.c.rep, shares.c.assigned, shares.c.credit).where(
        shares.c.team == desk.team, shares.c.period == desk.period_of(now)
    )
    return {rep: (assigned, credit) for rep, assigned, credit in session.execute(statement)}


def _rep(row: Row[Any]) -> Rep:
    return Rep(
        id=row.id,
        name=row.name,
        email=row.email,
        team=row.team,
        position=row.position,
        territories=tuple(row.territories),
        languages=tuple(row.languages),
        skills=tuple(row.skills),
        segments=tuple(row.segments),
        weight=row.weight,
        open_limit=row.open_limit,
        per_day_limit=row.per_day_limit,
        hours=row.hours,
        time_off=tuple(Absence(*map(datetime.fromisoformat, it)) for it in row.time_off),
        active=row.active,
    )
