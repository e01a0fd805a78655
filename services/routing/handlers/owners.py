"""The owners of leads' accounts, and the teams in which leads begin because of them.

Callers share the lock of merges, which imports of reps take: so no rep changes teams before the teams are locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.accounts import Owners, domains_of, first_team
from services.routing.domain.handoff import Handoff
from services.routing.domain.history import NO_HISTORY
from services.routing.domain.policy import RoutingPolicy, RuleMatch
from services.routing.domain.queue import Arrival
from services.routing.queries import accounts
from services.routing.queries.known_leads import known_leads
from services.routing.queries.rosters import Rosters
from shared.agreement.store import Policies


def load_owners(session: Session, matches: Iterable[RuleMatch], *, rosters: Rosters) -> Owners:
    """The owners of the accounts of these leads, as far as the rules ask for them."""
    domains = {name for it in matches if it.rule.asks_owner for name in domains_of(it.facts)}
    return Owners(accounts.owners_of(session, domains), rosters.current(session))


def with_owners(
    session: Session,
    arrivals: Sequence[Arrival],
    *,
    policies: Policies[RoutingPolicy],
    rosters: Rosters,
) -> list[Arrival]:
    """The arrivals with the owners of their accounts, each handoff in the team in which it begins."""
    matches = [it.match for it in arrivals if it.match is not None]
    if not any(it.rule.asks_owner for it in matches):
        return list(arrivals)
    owners = load_owners(session, matches, rosters=rosters)
    previous = _previous_reps(session, arrivals)

    def with_owner(arrival: Arrival) -> Arrival:
        handoff, match = arrival.handoff, arrival.match
        if handoff is None or match is None or not match.rule.asks_owner:
            return arrival
        policy = policies.version(session, handoff.agreement_version)
        owner = owners.owner_of(match.facts, trait=policy.account_owner)
        earlier = owners.roster.reps.get(previous.get(arrival.lead_id, ""))
        team = first_team(match.rule, owner, earlier, teams=policy.teams)
        return arrival._replace(
            match=owners.added_to(match, trait=policy.account_owner),
            handoff=handoff if team == handoff.team else handoff._replace(team=team),
        )

    return list(map(with_owner, arrivals))


def _previous_reps(session: Session, arrivals: Iterable[Arrival]) -> dict[UUID, str]:
    """The previous rep of each lead whose rule asks for that rep in all teams."""
    ids = {
        it.lead_id for it in arrivals if it.match is not None and it.match.rule.sticky_across_teams
    }
    if not ids:
        return {}
    known = known_leads(session, ids)
    histories = known.histories()
    reps = {it: histories.get(known.person(it), NO_HISTORY).previous_rep for it in ids}
    return {id: rep for id, rep in reps.items() if rep is not None}


def matches_with_owners(
    session: Session,
    waiting: Sequence[Handoff],
    *,
    policies: Policies[RoutingPolicy],
    rosters: Rosters,
) -> list[RuleMatch]:
    """The rule that each handoff's lead matches, with the owner of its account."""
    matched = [
        (policy, policy.match(it.lead))
        for it in waiting
        for policy in [policies.version(session, it.agreement_version)]
    ]
    owners = load_owners(session, [match for _, match in matched], rosters=rosters)
    return [owners.added_to(match, trait=policy.account_owner) for policy, match in matched]


def in_teams_of_owners(
    session: Session, waiting: Sequence[Handoff], *, policy: RoutingPolicy, rosters: Rosters
) -> list[Handoff]:
    """The handoffs of this policy; those that wait for their owner are in the owner's team."""
    matches = {
        it.id: policy.match(it.lead) for it in waiting if policy.rules[it.rule].otherwise == "wait"
    }
    if not matches:
        return list(waiting)
    owners = load_owners(session, matches.values(), rosters=rosters)

    def moved(handoff: Handoff) -> Handoff:
        match = matches.get(handoff.id)
        if match is None:
            return handoff
        owner = owners.owner_of(match.facts, trait=policy.account_owner)
        return handoff._replace(team=first_team(match.rule, owner, None, teams=policy.teams))

    return list(map(moved, waiting))
