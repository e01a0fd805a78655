"""Which reps may get a lead: every reason that excludes a rep, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import OPEN_END, RepLoad
from shared.agreement.cel.compile import Facts
from shared.agreement.model import RoutingRule


class ExclusionReason(StrEnum):
    """What keeps a rep from a lead."""

    INACTIVE = "inactive"
    OTHER_TEAM = "other_team"
    HAD_IT = "had_it"
    REFUSED = "refused"
    NO_MATCH = "no_match"
    FULL = "full"
    FULL_TODAY = "full_today"
    TIME_OFF = "time_off"
    CLOSED = "closed"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One reason, in words, and the instant at which time alone ends it; None if something else must happen."""

    reason: ExclusionReason
    detail: str
    until: datetime | None = None


class RequestedRep(NamedTuple):
    """The rep whom ops name for a handoff."""

    rep: str
    force: bool = False
    """Whether capacity and working hours are overridden."""


class MatchedLead(NamedTuple):
    """A lead that is to be assigned, with the rule that it matched."""

    rule: RoutingRule
    facts: Facts
    earlier_reps: frozenset[str] = frozenset()
    """Reps who had this handoff already: it never comes back to them."""
    previous_rep: str | None = None
    """The rep of this lead's previous handoff."""
    refused_by: frozenset[str] = frozenset()
    """Reps who returned this lead to marketing, or lost it otherwise: it does not come back to them."""
    request: RequestedRep | None = None
    """The rep whom ops name, instead of the one whom the strategy prefers."""
    owner: str | None = None
    """The rep who owns the lead's account."""


def exclusions(
    lead: MatchedLead, load: RepLoad, *, policy: TeamPolicy, now: datetime
) -> tuple[Exclusion, ...]:
    """Everything that keeps the rep from this lead at this instant; nothing means eligible."""
    return (
        *exclusions_of_rep(load, policy=policy, now=now),
        *exclusions_of_lead(lead, load, policy=policy, now=now),
    )


def is_free(load: RepLoad, *, policy: TeamPolicy, now: datetime) -> bool:
    """Whether the rep has no `exclusions_of_rep`, computed in a fifth of the time."""
    rep = load.rep
    return (
        rep.active and rep.team == policy.team and not is_full(load) and rep.away_until(now) is None
    )


def is_full(load: RepLoad) -> bool:
    """Whether the rep has reached a limit, of open handoffs or of today's assignments."""
    rep = load.rep
    return (rep.open_limit is not None and load.open >= rep.open_limit) or (
        rep.per_day_limit is not None and load.today >= rep.per_day_limit
    )


def exclusions_of_rep(load: RepLoad, *, policy: TeamPolicy, now: datetime) -> tuple[Exclusion, ...]:
    """What keeps the rep from any lead at all."""
    checks = (_inactive, _other_team, _full, _full_today, _time_off)
    exclusions_or_none = (check(load, policy, now) for check in checks)
    return tuple(it for it in exclusions_or_none if it is not None)


def exclusions_of_lead(
    lead: MatchedLead, load: RepLoad, *, policy: TeamPolicy, now: datetime
) -> tuple[Exclusion, ...]:
    """What keeps the rep from this lead, whatever the rep's load: it is the same for leads that are alike."""
    checks = (_had_it, _refused, _no_match, _closed)
    exclusions_or_none = (check(lead, load, policy, now) for check in checks)
    return tuple(it for it in exclusions_or_none if it is not None)


def _inactive(load: RepLoad, _: TeamPolicy, __: datetime) -> Exclusion | None:
    return None if load.rep.active else Exclusion(ExclusionReason.INACTIVE, "is not active")


def _other_team(load: RepLoad, policy: TeamPolicy, _: datetime) -> Exclusion | None:
    if load.rep.team == policy.team:
        return None
    return Exclusion(ExclusionReason.OTHER_TEAM, f"is in team {load.rep.team}")


def _full(load: RepLoad, _: TeamPolicy, __: datetime) -> Exclusion | None:
    limit = load.rep.open_limit
    if limit is None or load.open < limit:
        return None
    return Exclusion(ExclusionReason.FULL, f"holds {load.open} of {limit}")


def _full_today(load: RepLoad, policy: TeamPolicy, now: datetime) -> Exclusion | None:
    limit = load.rep.per_day_limit
    if limit is None or load.today < limit:
        return None
    _, next_day = policy.day_of(now)
    return Exclusion(
        ExclusionReason.FULL_TODAY, f"got {load.today} of {limit} today", until=next_day
    )


def _time_off(load: RepLoad, _: TeamPolicy, now: datetime) -> Exclusion | None:
    until = load.rep.away_until(now)
    if until is None:
        return None
    if until >= OPEN_END:
        return Exclusion(ExclusionReason.TIME_OFF, "is away until ops end the absence")
    return Exclusion(ExclusionReason.TIME_OFF, f"is on time off until {until.isoformat()}", until)


def _had_it(lead: MatchedLead, load: RepLoad, _: TeamPolicy, __: datetime) -> Exclusion | None:
    if load.rep.id not in lead.earlier_reps:
        return None
    return Exclusion(ExclusionReason.HAD_IT, "had this handoff already")


def _refused(lead: MatchedLead, load: RepLoad, _: TeamPolicy, __: datetime) -> Exclusion | None:
    if load.rep.id not in lead.refused_by:
        return None
    return Exclusion(
        ExclusionReason.REFUSED, "refused this lead before, or broke a promise about it"
    )


def _no_match(lead: MatchedLead, load: RepLoad, _: TeamPolicy, __: datetime) -> Exclusion | None:
    match = lead.rule.match
    if match is None or match.holds({**lead.facts, "rep": load.rep.facts()}):
        return None
    return Exclusion(ExclusionReason.NO_MATCH, f"does not match: {match.source}")


def _closed(
    lead: MatchedLead, load: RepLoad, policy: TeamPolicy, now: datetime
) -> Exclusion | None:
    hours = policy.hours_of(load.rep)
    if lead.rule.hours == "any" or hours.is_open(now):
        return None
    opens_at = hours.next_open(now)
    return Exclusion(
        ExclusionReason.CLOSED, f"is outside hours until {opens_at.isoformat()}", until=opens_at
    )
