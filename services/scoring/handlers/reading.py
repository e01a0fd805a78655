"""A lead as far as a caller may see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring.domain.card import CardSources, build_card, origins_in, origins_of
from services.scoring.domain.holding import Access, lead_at_loss
from services.scoring.domain.identities import identifiers_in
from services.scoring.domain.lead import Lead, StageChange
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.touches import TouchPeriod
from services.scoring.queries import holdings, leads, ledger, touches
from shared.agreement.store import Policies
from shared.auth.keys import Caller, KeyScope
from shared.contracts.payloads import LeadCard
from shared.contracts.touches import TouchCause
from shared.errors import Rejected


class UnknownLead(Rejected):
    """No lead has this id or this identifier."""

    code: ClassVar[str] = "unknown_lead"
    status: ClassVar[int] = 404

    def __init__(self, description: str) -> None:
        super().__init__(f"no lead has {description}; an event may still be on its way")


class VisibleLead(NamedTuple):
    """A lead with its identifiers, steps and card, and the policy of the lead's agreement version."""

    lead: Lead
    identities: Sequence[str]
    steps: Sequence[StageChange]
    policy: ScoringPolicy
    lead_card: LeadCard


def visible_lead(
    session: Session,
    lead_id: UUID | None,
    caller: Caller,
    *,
    policies: Policies[ScoringPolicy],
    now: datetime,
    description: str,
) -> VisibleLead:
    """The lead; to a rep who has lost it, the lead as it was then. Raises UnknownLead with the description."""
    lead, access = accessible_lead(session, lead_id, caller, description=description)
    policy = policies.version(session, lead.version)
    steps = leads.steps_of(session, lead.id)
    identities = leads.identities_of(session, lead.id)
    if access.until is not None:
        events = ledger.events_until(session, lead.id, access.until)
        visible = identifiers_in(events)
        steps = [step for step in steps if step.at < access.until]
        identities = [key for key in identities if key in visible]
        lead = lead_at_loss(lead, events, steps, policy, now)
        lead_card = build_card(lead.profile, policy, events, origins_in(events, policy), now=now)
    else:
        lead_card = _present_card(session, lead, policy, now)
    return VisibleLead(lead, identities, steps, policy, lead_card)


def _present_card(session: Session, lead: Lead, policy: ScoringPolicy, now: datetime) -> LeadCard:
    """The card that a rep would get if the lead qualified now."""
    period = TouchPeriod(lead.id, lead.id, lead.qualification, TouchCause.QUALIFIED, now)
    origins = origins_of(touches.touches_of(session, [period])[period].touches)
    card_sources = CardSources.of(policy.agreement.lead_card)
    events = ledger.card_events(session, [lead.id], card_sources)[lead.id]
    return build_card(lead.profile, policy, events, origins, now=now)


def accessible_lead(
    session: Session, lead_id: UUID | None, caller: Caller, *, description: str
) -> tuple[Lead, Access]:
    """The lead and how much of it the caller sees.

    Raises UnknownLead, for a rep also if the rep never held a handoff of the lead.
    """
    lead = None if lead_id is None else leads.find_lead(session, lead_id)
    if lead is None:
        raise UnknownLead(description)
    if caller.scope is not KeyScope.REP:
        return lead, Access()
    access = holdings.find_access(session, lead.id, caller.subject)
    if access is None:
        raise UnknownLead(description)
    return lead, access
