"""Reps as the last import left them, with the counts of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.assignment.allocation import Allocation
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import Absence, Rep, RepLoad, Roster
from services.routing.tables import HELD, assignments, handoffs, reps


def teams_with_reps(session: Session) -> set[str]:
    """The teams that have reps."""
    return set(session.scalars(select(reps.c.team).distinct()))


def active_reps(session: Session) -> int:
    """How many reps are active."""
    return session.scalar(select(func.count()).where(reps.c.active)) or 0


def inactive_reps(session: Session) -> list[str]:
    """The ids of inactive reps."""
    return list(session.scalars(select(reps.c.id).where(~reps.c.active).order_by(reps.c.id)))


def locked_activity(session: Session, rep: str) -> bool | None:
    """Whether the rep is active; None if there is none. Imports wait for the lock until the transaction ends."""
    statement = select(reps.c.active).where(reps.c.id == rep).with_for_update(read=True)
    return session.scalar(statement)


def held_by_inactive(session: Session) -> dict[str, int]:
    """How many handoffs each inactive rep holds. Call `count_open` before, which corrects the counts."""
    statement = select(reps.c.id, reps.c.open).where(~reps.c.active, reps.c.open > 0)
    return {row.id: row.open for row in session.execute(statement.order_by(reps.c.id))}


def save_reps(session: Session, roster: Sequence[Rep]) -> list[str]:
    """Save the reps; all others become inactive, and their ids are returned."""
    statement = insert(reps)
    rows = [
        asdict(it)
        | {"time_off": _time_off(it)}
        | {name: list(getattr(it, name)) for name in _LISTS}
        for it in roster
    ]
    columns = {
        name: statement.excluded[name] for name in (it.name for it in fields(Rep)) if name != "id"
    }
    # a rep who is new to the team has no share of its period yet
    period = case((reps.c.team == statement.excluded.team, reps.c.period))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[reps.c.id], set_={**columns, "period": period}
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


def save_activity(session: Session, rep_id: str, *, is_active: bool) -> None:
    """Save whether the rep is active."""
    session.execute(update(reps).where(reps.c.id == rep_id).values(active=is_active))


def save_time_off(session: Session, rep: Rep) -> None:
    """Save the rep's time off."""
    session.execute(update(reps).where(reps.c.id == rep.id).values(time_off=_time_off(rep)))


def _time_off(rep: Rep) -> list[list[str]]:
    return [[it.since.isoformat(), it.until.isoformat()] for it in rep.time_off]


def reps_by_id(session: Session, ids: Iterable[str] | None = None) -> list[Rep]:
    """All reps, or these, by team and position."""
    statement = select_reps().order_by(reps.c.team, reps.c.position)
    if ids is not None:
        statement = statement.where(reps.c.id.in_(list(ids)))
    return [rep_of(row) for row in session.execute(statement).mappings()]


def rep_names(session: Session, *, rep: str | None) -> dict[str, str]:
    """The names by id of all reps, by team and position, or of this one."""
    statement = select(reps.c.id, reps.c.name).order_by(reps.c.team, reps.c.position)
    if rep is not None:
        statement = statement.where(reps.c.id == rep)
    return {row.id: row.name for row in session.execute(statement)}


def count_open(session: Session) -> None:
    """Count the open handoffs of each rep anew, which corrects wrong counts; the caller holds every team's lock."""
    holds = (
        select(func.count())
        .where(handoffs.c.rep == reps.c.id, handoffs.c.state.in_(HELD))
        .scalar_subquery()
    )
    session.execute(update(reps).values(open=holds).where(reps.c.open != holds))


_LOADS = text("""
    select id, open, case when today_on = :day then today else 0 end as today,
        case when counted then assigned else 0 end as assigned,
        case when counted then credit else 0 end as credit, last_assigned_at, counted
    from (
        select *, team = :team and coalesce(period = :period, false) as counted from routing.reps
        where team = :team or id = any(:also)
    ) as loads
""")


def rep_loads(
    session: Session, roster: Roster, team: TeamPolicy, *, also: Collection[str], now: datetime
) -> list[RepLoad]:
    """The loads of the team's reps, and of others by id, in the order of the roster."""
    arguments = {**_day_and_period(team, now), "also": list(also)}
    loads = {
        id: RepLoad(roster.reps[id], *counts)
        for id, *counts in session.execute(_LOADS, arguments).all()
        if id in roster.reps
    }
    return [loads[id] for id in roster.reps if id in loads]


_SAVE_LOADS = text("""
    update routing.reps
    set open = open + leads, today = leads + case when today_on = :day then today else 0 end,
        today_on = :day, period = :period, assigned = changed.assigned, credit = changed.credit,
        last_assigned_at = case when leads > 0 then :now else last_assigned_at end
    from jsonb_to_recordset(cast(:loads as jsonb)) as changed (
        rep text, leads integer, assigned integer, credit double precision
    )
    where id = changed.rep
""")


def save_loads(
    session: Session, changed: Iterable[RepLoad], allocation: Allocation, *, team: TeamPolicy
) -> None:
    """Save the changed shares of the team's reps in this period, and count what each got in the allocation."""
    leads = Counter(allocation.reps)
    loads = [
        {"rep": it.rep.id, "leads": leads[it.rep.id], "assigned": it.assigned, "credit": it.credit}
        for it in changed
        if it.rep.team == team.team
    ]
    if loads:
        now = allocation.decided_at
        session.execute(
            _SAVE_LOADS,
            {**_day_and_period(team, now), "loads": orjson.dumps(loads).decode(), "now": now},
        )


def release(session: Session, rep: str | None) -> None:
    """Count one open handoff less for the rep."""
    session.execute(update(reps).where(reps.c.id == rep).values(open=reps.c.open - 1))


def give_back(session: Session, handoff_id: UUID, hop: int) -> None:
    """Take the assignment out of the rep's share, in the period in which it counts."""
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


def _day_and_period(team: TeamPolicy, now: datetime) -> dict[str, Any]:
    day, _ = team.day_of(now)
    return {"team": team.team, "period": team.period_of(now), "day": day.date()}


def select_reps() -> Select[*tuple[Any, ...]]:
    return select(*(reps.c[it.name] for it in fields(Rep)))


def rep_of(columns: Mapping[Any, Any]) -> Rep:
    """The rep of a row, or of a roster's JSON."""
    off = tuple(Absence(*map(datetime.fromisoformat, it)) for it in columns["time_off"])
    return Rep(**{**columns, **{it: tuple(columns[it]) for it in _LISTS}, "time_off": off})


_LISTS = ("territories", "languages", "skills", "segments")
