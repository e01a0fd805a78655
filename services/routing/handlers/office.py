"""What every handler needs besides the session: the agreements, and where reps find our API."""

from __future__ import annotations

from typing import Any, NamedTuple

from services.routing.domain.desk import Desk
from services.routing.domain.handoff import Handoff, State, handoff_id
from services.routing.domain.picking import RuleVerdict, first_match
from services.routing.queries.roster import Crews
from services.routing.queries.rounds import Benches
from shared.agreement.facts import lead_facts
from shared.agreement.model import Agreement, RoutingRule
from shared.agreement.store import Agreements, Published
from shared.calendar import compiled
from shared.contracts.payloads import LeadQualified
from shared.contracts.topic import Message

HAND_RAISE = "hand_raise"


class Office:
    """Where handlers look up what was agreed, who is there, and from what was decided."""

    def __init__(self, agreements: Agreements, public_url: str) -> None:
        self.agreements, self.public_url = agreements, public_url
        self.crews = Crews()
        self.benches = Benches(self.crews)


def desk_of(team: str, agreement: Agreement) -> Desk:
    """The team's desk under this agreement."""
    calendars = {it.id: compiled(it) for it in agreement.sla.calendars}
    found = next(it for it in agreement.routing.teams if it.id == team)
    return Desk(team, found.period, calendars[found.calendar], calendars)


def facts_of(lead: LeadQualified, agreement: Agreement) -> dict[str, Any]:
    """What the routing rules may know of a lead."""
    context = lead.context
    told = lead_facts(
        context.traits,
        email=context.email,
        account=context.account,
        stage="qualified",
        agreement=agreement,
    )
    return {
        "lead": told,
        "tier": lead.tier,
        "fit": lead.scores.fit,
        "engagement": lead.scores.engagement,
        "grade": lead.scores.grade,
        "hand_raised": lead.cause == HAND_RAISE,
    }


class Ruled(NamedTuple):
    """The rule that a lead falls under, what was known of it, and how each rule judged it."""

    rule: RoutingRule
    facts: dict[str, Any]
    verdicts: tuple[RuleVerdict, ...]


def ruled(lead: LeadQualified, published: Published) -> Ruled:
    """As the agreement rules the lead."""
    agreement = published.agreement
    facts = facts_of(lead, agreement)
    rule, verdicts = first_match(agreement.routing.rules, facts)
    return Ruled(rule, facts, verdicts)


def arrival(message: Message[LeadQualified], under: Ruled, published: Published) -> Handoff:
    """The handoff that a qualification begins: with a team, with nobody yet."""
    lead = message.payload
    return Handoff(
        id=handoff_id(lead.lead_id, lead.qualification),
        lead_id=lead.lead_id,
        qualification=lead.qualification,
        state=State.WAITING,
        team=under.rule.team,
        rule=under.rule.id,
        tier=lead.tier,
        heat=heat_of(lead.tier, published.agreement),
        qualified_at=lead.at,
        agreement_version=published.version,
        lead=lead,
        traceparent=message.traceparent,
        written=message.json,
    )


def moved_under(handoff: Handoff, published: Published) -> Handoff:
    """The waiting handoff as a newer agreement rules it."""
    rule = ruled(handoff.lead, published).rule
    return handoff._replace(
        team=rule.team,
        rule=rule.id,
        heat=heat_of(handoff.tier, published.agreement),
        agreement_version=published.version,
    )


def heat_of(tier: str, agreement: Agreement) -> int:
    """The tier's place in the agreement; one that it does not know comes last."""
    tiers = [it.id for it in agreement.qualification.tiers]
    return tiers.index(tier) if tier in tiers else len(tiers)
