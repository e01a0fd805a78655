"""How many leads each team can take on each date, as routing announced it last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.domain.capacity import CapacityDay, KnownDates, TeamCapacity
from services.alignment.tables import capacity_days

day = capacity_days.c
KEY = (day.on, day.team)


def add_days(session: Session, days: Sequence[CapacityDay]) -> None:
    """Add the days, one each date and team and in the order of these; of two the one of the later plan stays."""
    if not days:
        return
    statement = insert(capacity_days)
    added = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["on", "team"],
            set_={it: added[it] for it in ("number", "reps", "leads", "unlimited")},
            where=day.number < added.number,
        ),
        [it._asdict() for it in days],
    )


@dataclass(frozen=True, slots=True)
class TeamDays:
    """Days of teams from the first to the last date: of these teams, or of all."""

    first: date
    last: date
    teams: Collection[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the days."""
        of_teams = [] if self.teams is None else [day.team.in_(self.teams)]
        return [day.on.between(self.first, self.last), *of_teams]


def known_dates(session: Session, first: date, last: date) -> KnownDates:
    """For which of these dates something is known of any team."""
    statement = select(func.count(day.on.distinct()), func.min(day.on), func.max(day.on))
    row = session.execute(statement.where(*TeamDays(first, last).conditions())).one()
    return KnownDates._make(row)


def capacity_of_teams(session: Session, days: TeamDays) -> list[TeamCapacity]:
    """What each team can take, the teams in the order of their names."""
    statement = (
        select(day.team, func.count(), func.sum(day.leads), func.max(day.unlimited))
        .where(*days.conditions())
        .group_by(day.team)
        .order_by(day.team)
    )
    return [
        TeamCapacity(team, count, int(leads), unlimited)
        for team, count, leads, unlimited in session.execute(statement)
    ]


class Position(NamedTuple):
    """The end of a page: its last date and team."""

    on: date
    team: str


def days_of(
    session: Session, days: TeamDays, *, after: Position | None, limit: int
) -> list[CapacityDay]:
    """The days of teams, in the order of dates, then of the teams' names."""
    statement = select(*(day[it] for it in CapacityDay._fields)).where(*days.conditions())
    if after is not None:
        statement = statement.where(tuple_(*KEY) > tuple_(*after))
    rows = session.execute(statement.order_by(*KEY).limit(limit))
    return list(map(CapacityDay._make, rows))
