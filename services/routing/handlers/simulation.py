"""Leads that were routed, by the rules of a draft of the agreement: where each would go, without any effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.assignment.eligibility import MatchedLead
from services.routing.domain.assignment.selection import Selection, credit_newcomers, select_rep
from services.routing.domain.handoff import Handoff
from services.routing.domain.history import NO_HISTORY
from services.routing.domain.policy import RoutingPolicy, RuleMatch
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.owners import load_owners
from services.routing.queries import handoffs, lists, reps
from services.routing.queries.known_leads import known_leads
from services.routing.queries.lists import Slice
from shared.agreement.model import Agreement
from shared.db.time_range import TimeRange

MAX_HANDOFFS = 1_000
"""So many handoffs are simulated, the newest."""
DRAFT = 0
"""The version of a draft, which no published one has."""


class SimulatedHandoff(NamedTuple):
    """A handoff with the rule and the team that it had, and those that the draft gives its lead."""

    handoff: Handoff
    rule_before: str
    team_before: str
    match: RuleMatch

    @property
    def is_moved(self) -> bool:
        """Whether the draft sends the lead to another team."""
        return self.match.rule.team != self.team_before


def simulate(
    session: Session, draft: Agreement, *, days: int, assigner: Assigner, now: datetime
) -> list[SimulatedHandoff]:
    """The handoffs that qualified in the last days, the newest first, by the rules of the draft."""
    since = now - timedelta(days=days)
    newest = lists.HandoffFilter(times=TimeRange(since))
    listed = lists.list_handoffs(session, newest, Slice(limit=MAX_HANDOFFS))
    policy = RoutingPolicy(DRAFT, draft)
    return [_simulated(session, it, policy, assigner) for it in listed.handoffs]


def simulate_one(
    session: Session, id: UUID, draft: Agreement, *, assigner: Assigner, now: datetime
) -> tuple[SimulatedHandoff, Selection]:
    """One handoff by the rules of the draft, and whom of the team they would choose at this moment, as for a new lead.

    Raises UnknownHandoff.
    """
    handoff = handoffs.find_handoff(session, id)
    if handoff is None:
        raise UnknownHandoff(f"no handoff {id}")
    policy = RoutingPolicy(DRAFT, draft)
    simulated = _simulated(session, handoff, policy, assigner)
    return simulated, _select(session, simulated, policy, assigner, now)


def _simulated(
    session: Session, handoff: Handoff, draft: RoutingPolicy, assigner: Assigner
) -> SimulatedHandoff:
    own = assigner.policies.version(session, handoff.agreement_version)
    team = own.rules[handoff.rule].team
    return SimulatedHandoff(handoff, handoff.rule, team, draft.match(handoff.lead))


def _select(
    session: Session,
    simulated: SimulatedHandoff,
    draft: RoutingPolicy,
    assigner: Assigner,
    now: datetime,
) -> Selection:
    lead_id, match = simulated.handoff.lead_id, simulated.match
    owners = load_owners(session, [match], rosters=assigner.rosters)
    owner = owners.added_to(match, trait=draft.account_owner).owner
    known = known_leads(session, {lead_id})
    history = known.histories().get(known.person(lead_id), NO_HISTORY)
    lead = MatchedLead(
        match.rule,
        match.facts,
        previous_rep=history.previous_rep,
        refused_by=history.refused_by,
        owner=owner,
    )
    team = draft.teams[match.rule.team]
    others: Sequence[str] = [it for it in (history.previous_rep, owner) if it is not None]
    roster = assigner.rosters.current(session)
    loads = reps.rep_loads(session, roster, team, also=others, now=now)
    return select_rep(lead, credit_newcomers(loads), policy=team, now=now)
