"""The teams' locks, and the reps as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.policy import (
    TeamPolicy,
)
from services.routing.domain.roster import (
    RepLoad,
    Roster,
)
from services.routing.tables import assignments, handoffs, reps, teams


def lock_teams(session: Session, ids: Collection[str]) -> dict[str, datetime | None]:
    """When to look again at who waits in each team; locked, so that its leads are given out one by one."""
    found = _locked(session, ids)
    if len(found) < len(set(ids)):
        missing = [{"id": it} for it in sorted(set(ids) - found.keys())]
        session.execute(insert(teams).values(missing).on_conflict_do_nothing())
        found = _locked(session, ids)
    return found


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
    select id, open, case when today_on = :day then today else 0 end,
        case when counted then assigned else 0 end, case when counted then credit else 0 end,
        last_assigned_at, counted
    from (
        select *, team = :team and coalesce(period = :period, false) as counted from routing.reps
        where team = :team or id = any(:also)
    ) as asked
""")


def rep_loads_of(
    session: Session, roster: Roster, policy: TeamPolicy, *, also: Collection[str], now: datetime
) -> list[RepLoad]:
    """The team's reps, and others by id, with the counts that decide; in the order of their ids."""
    asked = {**_place(policy, now), "also": list(also)}
    counts = {id: it for id, *it in session.execute(_COUNTS, asked).all()}
    return [RepLoad(rep, *counts[id]) for id, rep in roster.reps.items() if id in counts]


_SAVE = text("""
    update routing.reps
    set open = open + leads, today = leads + case when today_on = :day then today else 0 end,
        today_on = :day, period = :period, assigned = given.assigned, credit = given.credit,
        last_assigned_at = case when leads > 0 then :now else last_assigned_at end
    from jsonb_to_recordset(cast(:given as jsonb)) as given (
        rep text, leads integer, assigned integer, credit double precision
    )
    where id = given.rep
""")


def save_rep_loads(
    session: Session,
    loads: Iterable[RepLoad],
    picks: Collection[str],
    *,
    policy: TeamPolicy,
    now: datetime,
) -> None:
    """Keep the shares that these of the team have in this period, and count what each was given now."""
    times = Counter(picks)
    given = [
        {"rep": it.rep.id, "leads": times[it.rep.id], "assigned": it.assigned, "credit": it.credit}
        for it in loads
        if it.rep.team == policy.team
    ]
    if given:
        session.execute(
            _SAVE, {**_place(policy, now), "given": orjson.dumps(given).decode(), "now": now}
        )


def release(session: Session, rep: str | None) -> None:
    """The rep holds one handoff less."""
    session.execute(update(reps).where(reps.c.id == rep).values(open=reps.c.open - 1))


def give_back(session: Session, handoff_id: UUID, hop: int) -> None:
    """A handoff that was handed back does not count against the rep, in the period in which it had counted."""
    session.execute(
        update(reps)
        .where(
            assignments.c.handoff_id == handoff_id,
            assignments.c.hop == hop,
            handoffs.c.id == assignments.c.handoff_id,
            reps.c.id == assignments.c.rep,
            reps.c.team == handoffs.c.team,
            reps.c.period == assignments.c.period,
        )
        .values(assigned=func.greatest(reps.c.assigned - 1, 0))
    )


def _place(policy: TeamPolicy, now: datetime) -> dict[str, Any]:
    day, _ = policy.day_of(now)
    return {"team": policy.team, "period": policy.period_of(now), "day": day.date()}
