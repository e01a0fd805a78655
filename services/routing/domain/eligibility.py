"""Who may: every reason that keeps a rep from a lead, and when it passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.routing.domain.desk import Desk, Standing
from shared.agreement.cel.compile import Facts
from shared.agreement.model import RoutingRule


class Why(StrEnum):
    """What keeps a rep from a lead."""

    INACTIVE = "inactive"
    OTHER_TEAM = "other_team"
    HAD_IT = "had_it"
    NO_MATCH = "no_match"
    FULL = "full"
    FULL_TODAY = "full_today"
    TIME_OFF = "time_off"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One reason, in words, and the instant from which it holds no more, if time alone ends it."""

    why: Why
    said: str
    until: datetime | None = None


class Case(NamedTuple):
    """A lead to be given to somebody, under the rule that it matched."""

    rule: RoutingRule
    facts: Facts
    had_by: frozenset[str] = frozenset()
    """Reps who had this handoff already: it never comes back to them."""
    previous: str | None = None
    """Who held this lead's handoff before this one."""


def exclusions(
    case: Case, standing: Standing, *, desk: Desk, now: datetime
) -> tuple[Exclusion, ...]:
    """Everything that keeps the rep from this lead at this instant; nothing means eligible."""
    return (
        *hindrances(standing, desk=desk, now=now),
        *objections(case, standing, desk=desk, now=now),
    )


def is_free(standing: Standing, *, desk: Desk, now: datetime) -> bool:
    """Whether nothing keeps the rep from every lead: no `hindrances`, found in a fifth of the time."""
    rep = standing.rep
    return (
        rep.active
        and rep.team == desk.team
        and not is_full(standing)
        and rep.away_until(now) is None
    )


def is_full(standing: Standing) -> bool:
    """Whether the rep has room for no more, now or today."""
    rep = standing.rep
    return (rep.open_limit is not None and standing.open >= rep.open_limit) or (
        rep.per_day_limit is not None and standing.today >= rep.per_day_limit
    )


def hindrances(standing: Standing, *, desk: Desk, now: datetime) -> tuple[Exclusion, ...]:
    """What keeps the rep from any lead at all."""
    checks = (_inactive, _other_team, _full, _full_today, _time_off)
    found = (check(standing, desk, now) for check in checks)
    return tuple(it for it in found if it is not None)


def objections(
    case: Case, standing: Standing, *, desk: Desk, now: datetime
) -> tuple[Exclusion, ...]:
    """What keeps the rep from this lead, however much they hold: it is the same for leads that are alike."""
    found = (check(case, standing, desk, now) for check in (_had_it, _no_match, _closed))
    return tuple(it for it in found if it is not None)


def _inactive(standing: Standing, _: Desk, __: datetime) -> Exclusion | None:
    return None if standing.rep.active else Exclusion(Why.INACTIVE, "is not active")


def _other_team(standing: Standing, desk: Desk, _: datetime) -> Exclusion | None:
    if standing.rep.team == desk.team:
        return None
    return Exclusion(Why.OTHER_TEAM, f"is in team {standing.rep.team}")


def _full(standing: Standing, _: Desk, __: datetime) -> Exclusion | None:
    limit = standing.rep.open_limit
    if limit is None or standing.open < limit:
        return None
    return Exclusion(Why.FULL, f"holds {standing.open} of {limit}")


def _full_today(standing: Standing, desk: Desk, now: datetime) -> Exclusion | None:
    limit = standing.rep.per_day_limit
    if limit is None or standing.today < limit:
        return None
    return Exclusion(
        Why.FULL_TODAY, f"got {standing.today} of {limit} today", until=desk.day_of(now)[1]
    )


def _time_off(standing: Standing, _: Desk, now: datetime) -> Exclusion | None:
    until = standing.rep.away_until(now)
    if until is None:
        return None
    return Exclusion(Why.TIME_OFF, f"is on time off until {until.isoformat()}", until)


def _had_it(case: Case, standing: Standing, _: Desk, __: datetime) -> Exclusion | None:
    if standing.rep.id not in case.had_by:
        return None
    return Exclusion(Why.HAD_IT, "had this handoff already")


def _no_match(case: Case, standing: Standing, _: Desk, __: datetime) -> Exclusion | None:
    match = case.rule.match
    if match is None or match.holds({**case.facts, "rep": standing.rep.facts()}):
        return None
    return Exclusion(Why.NO_MATCH, f"does not match: {match.source}")


def _closed(case: Case, standing: Standing, desk: Desk, now: datetime) -> Exclusion | None:
    hours = desk.hours_of(standing.rep)
    if case.rule.hours == "any" or hours.is_open(now):
        return None
    opens = hours.next_open(now)
    return Exclusion(Why.CLOSED, f"is outside hours until {opens.isoformat()}", until=opens)
