"""All topics. No other module names one."""

from __future__ import annotations

from typing import Any

from shared.contracts.known import LeadKnown
from shared.contracts.payloads import (
    CampaignCounted,
    CapacityPlanned,
    HandoffChanged,
    LeadQualified,
    LeadsMerged,
    MarketingEvent,
    SlaChanged,
)
from shared.contracts.topic import Topic
from shared.contracts.touches import LeadTouched

SCORING = "leadbaton.scoring"
ROUTING = "leadbaton.routing"
SLA = "leadbaton.sla"
ALIGNMENT = "leadbaton.alignment"


def identity_key(event: MarketingEvent) -> str:
    """The key that keeps a person's events in order: e-mail, else user id, else anonymous id with its source."""
    identity = event.identity
    if identity.email:
        return identity.email
    if identity.user_id is not None:
        return f"{event.source}/user/{identity.user_id}"
    if identity.anonymous_id is not None:
        return f"{event.source}/anonymous/{identity.anonymous_id}"
    return identity.phone or event.source


MARKETING_EVENTS = Topic(
    name="marketing.events",
    payload=MarketingEvent,
    key=identity_key,
    readers=(SCORING,),
    summary="What people did, as marketing platforms report it.",
)
LEADS_KNOWN = Topic(
    name="leads.known",
    payload=LeadKnown,
    key=lambda lead: str(lead.lead_id),
    readers=(ALIGNMENT,),
    summary="A person became known or engaged, or was merged into another lead.",
)
LEADS_QUALIFIED = Topic(
    name="leads.qualified",
    payload=LeadQualified,
    key=lambda lead: str(lead.lead_id),
    readers=(ROUTING, ALIGNMENT),
    summary="A lead became, or ceased to be, qualified.",
)
LEADS_TOUCHED = Topic(
    name="leads.touched",
    payload=LeadTouched,
    key=lambda lead: str(lead.lead_id),
    readers=(ALIGNMENT,),
    summary="The marketing touches of a lead that qualified or was closed.",
)
LEADS_MERGED = Topic(
    name="leads.merged",
    payload=LeadsMerged,
    key=lambda merge: str(merge.lead_id),
    readers=(ROUTING,),
    summary="Two leads turned out to be one person.",
)
HANDOFFS_CHANGED = Topic(
    name="handoffs.changed",
    payload=HandoffChanged,
    key=lambda handoff: str(handoff.handoff_id),
    readers=(SCORING, SLA, ALIGNMENT),
    summary="Each change of a handoff.",
)
SLA_CHANGED = Topic(
    name="sla.changed",
    payload=SlaChanged,
    key=lambda clock: str(clock.handoff_id),
    readers=(ROUTING, ALIGNMENT),
    summary="Each change of a clock.",
)
CAMPAIGNS_COUNTED = Topic(
    name="campaigns.counted",
    payload=CampaignCounted,
    key=lambda counted: counted.campaign,
    readers=(ROUTING,),
    summary="What became of a campaign's leads on one day.",
)
CAPACITY_PLANNED = Topic(
    name="capacity.planned",
    payload=CapacityPlanned,
    key=lambda plan: plan.team,
    readers=(ALIGNMENT,),
    summary="How many leads a team can take on each of the next dates.",
)

TOPICS: tuple[Topic[Any], ...] = (
    MARKETING_EVENTS,
    LEADS_KNOWN,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    LEADS_MERGED,
    HANDOFFS_CHANGED,
    SLA_CHANGED,
    CAMPAIGNS_COUNTED,
    CAPACITY_PLANNED,
)
