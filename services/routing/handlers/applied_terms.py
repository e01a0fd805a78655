"""The versions of the agreement by which promises count: a handoff's own, and those that ops applied to it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.routing.domain.applied_terms import PromisedHandoff
from services.routing.domain.due_times import DueTimes
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.policy import RoutingPolicy, TeamPolicy
from services.routing.queries.applied_terms import terms_applied_to
from shared.agreement.model import Agreement
from shared.agreement.store import Policies


def due_times_by_version(
    session: Session,
    promised: Sequence[PromisedHandoff],
    policies: Policies[RoutingPolicy],
    team: TeamPolicy,
) -> dict[int, DueTimes]:
    """Due times by each version that counts for these handoffs of the team; without those that do not have the team."""
    own = {it.handoff.agreement_version for it in promised}
    applied = {version for it in promised for version in it.applied_versions}
    versions = {number: policies.version(session, number) for number in sorted(own | applied)}
    return {
        number: DueTimes(policy.agreement, policy.teams.get(team.team, team))
        for number, policy in versions.items()
        if number in own or team.team in policy.teams
    }


def agreement_after_win(
    session: Session, handoff: Handoff, policies: Policies[RoutingPolicy]
) -> Agreement:
    """The agreement by which answers are taken: after a win the last that ops applied, else the handoff's own."""
    number = handoff.agreement_version
    if handoff.state is State.WON:
        applied = terms_applied_to(session, [handoff.id]).get(handoff.id, [])
        number = max([number, *(it.version for it in applied if it.ended_policy is None)])
    return policies.version(session, number).agreement
