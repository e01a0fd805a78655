"""The teams' locks, and the reps as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.desk import Crew, Desk, Standing
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


_COUNTS = text("""
    select id, open, case when today_on = :day then today else 0 end, last_assigned_at
    from routing.reps where team = :team or id = any(:also)
""")
_SHARES = text("""
    select rep, assigned, credit from routing.shares where team = :team and period = :period
""")


def standings_of(
    session: Session, crew: Crew, desk: Desk, *, also: Collection[str], now: datetime
) -> list[Standing]:
    """The team's reps, and others by id, with the counts that decide; in the order of their ids.

    Put together here: without statistics of a new month's shares, PostgreSQL compared all with all.
    """
    at = _place(desk, now)
    counts = {id: it for id, *it in session.execute(_COUNTS, {**at, "also": list(also)}).all()}
    had = {rep: (n, credit, True) for rep, n, credit in session.execute(_SHARES, at).all()}
    standings = []
    for id, rep in crew.reps.items():
        if id in counts:
            open_, today, last = counts[id]
            assigned, credit, counted = had.get(id, _NO_SHARE)
            standings.append(Standing(rep, open_, today, assigned, credit, last, counted))
    return standings


_NO_SHARE = (0, 0.0, False)
_SAVE_SHARES = text("""
    insert into routing.shares as held (team, period, rep, assigned, credit)
    select :team, :period, rep, assigned, credit
    from unnest(
        cast(:reps as text[]), cast(:assigned as integer[]), cast(:credits as double precision[])
    ) as had (rep, assigned, credit)
    on conflict (team, period, rep) do update set assigned = excluded.assigned, credit = excluded.credit
""")
_SAVE_PICKS = text("""
    update routing.reps
    set open = open + leads, today = leads + case when today_on = :day then today else 0 end,
        today_on = :day, last_assigned_at = :now
    from unnest(cast(:reps as text[]), cast(:leads as integer[])) as given (rep, leads)
    where id = given.rep
""")


def save_shares(session: Session, bench: Sequence[Standing], *, desk: Desk, now: datetime) -> None:
    """Keep the shares that these of the team have in this period."""
    own = [it for it in bench if it.rep.team == desk.team]
    if own:
        shared = {
            "reps": [it.rep.id for it in own],
            "assigned": [it.assigned for it in own],
            "credits": [it.credit for it in own],
        }
        session.execute(_SAVE_SHARES, {**_place(desk, now), **shared})


def save_picks(session: Session, picks: Collection[str], *, desk: Desk, now: datetime) -> None:
    """Count what each was given now."""
    if picks:
        times = Counter(picks)
        given = {"reps": list(times), "leads": list(times.values()), "now": now}
        session.execute(_SAVE_PICKS, {**_place(desk, now), **given})


def release(session: Session, rep: str) -> None:
    """The rep holds one handoff less."""
    session.execute(update(reps).where(reps.c.id == rep).values(open=reps.c.open - 1))


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


def _place(desk: Desk, now: datetime) -> dict[str, Any]:
    day, _ = desk.day_of(now)
    return {"team": desk.team, "period": desk.period_of(now), "day": day.date()}
