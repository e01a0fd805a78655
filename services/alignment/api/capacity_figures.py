"""What the roster can take in a period: a figure behind which there are days of teams, and no leads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from services.alignment.domain.capacity import BY_TEAM_ONLY, TeamCapacity, capacity
from services.alignment.domain.groups import Group, facts_of, fields_read
from services.alignment.domain.measures import LEADS, Figure, Subject
from services.alignment.queries.capacity import TeamDays, capacity_of_teams, known_dates
from services.alignment.queries.populations import Population
from services.alignment.queries.selection import GroupBy
from shared.agreement.cel.condition import Condition

TEAM = "team"
DAYS = "/v1/alignment/capacity"
"""The path of the days of teams."""


def capacity_figure(session: Session, population: Population) -> Figure:
    """Leads that the roster can take on the dates of the subject: by all teams, or by those that are selected."""
    unknown = _unknown_facts(population)
    if unknown:
        return Figure(None, LEADS, 0, BY_TEAM_ONLY.format(" and ".join(unknown)))
    first, last = population.subject.first, population.subject.last
    known = known_dates(session, first, last)
    teams = capacity_of_teams(session, TeamDays(first, last, _teams_of(population)))
    return capacity(first, last, known, _where_holds(population, teams))


def groups_of_teams(session: Session, subject: Subject, fields: Sequence[str]) -> list[Group]:
    """The groups of the teams of which something is known; facts besides the team are unknown."""
    teams = capacity_of_teams(session, TeamDays(subject.first, subject.last))
    return [tuple(it.team if field == TEAM else "" for field in fields) for it in teams]


def days_link(subject: Subject, *, team: str | None = None, where: Condition | None = None) -> str:
    """The path of the days behind the figure; a condition that reads something else than the team is left out."""
    parameters = {"since": str(subject.first), "until": str(subject.last)}
    if team is not None:
        parameters[TEAM] = team
    if where is not None and not _facts_besides_team(where):
        parameters["where"] = where.source
    return f"{DAYS}?{urlencode(parameters)}"


def _unknown_facts(population: Population) -> list[str]:
    """The facts besides the team by which the figure is narrowed."""
    filters, groups = population.filters, population.groups
    named = [] if groups is None else [it for it in groups.fields if it != TEAM]
    named += [it.value for it in filters.filters if it is not GroupBy.TEAM]
    named += [] if filters.where is None else _facts_besides_team(filters.where)
    return list(dict.fromkeys(named))


def _facts_besides_team(where: Condition) -> list[str]:
    return [it for it in fields_read([where]) if it != TEAM]


def _teams_of(population: Population) -> Collection[str] | None:
    """The teams that are selected by name, or by the condition of a promise; None: all."""
    filters, groups = population.filters, population.groups
    if filters.team is not None:
        return [filters.team]
    if groups is None or (groups.members and not groups.fields):
        return None
    return [team for group in groups.members for team in group]


def _where_holds(population: Population, teams: Sequence[TeamCapacity]) -> Sequence[TeamCapacity]:
    """The teams that the condition of a request holds for: teams without leads are among them."""
    where = population.filters.where
    if where is None:
        return teams
    return [it for it in teams if where.holds(facts_of((TEAM,), (it.team,)))]
