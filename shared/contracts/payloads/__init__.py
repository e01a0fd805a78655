"""The payload of each topic. Fields are added; they are never removed and never change their meaning."""

from __future__ import annotations

from shared.contracts.payloads.campaigns import CampaignCounted, RejectionCount, WonAmount
from shared.contracts.payloads.capacity import CapacityDay, CapacityPlanned
from shared.contracts.payloads.cards import (
    CardTouch,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    PageViews,
    Purchase,
    TopicViews,
)
from shared.contracts.payloads.clocks import ClockChange, Scope, SlaChanged
from shared.contracts.payloads.events import EventKind, Identity, MarketingEvent
from shared.contracts.payloads.handoffs import Change, HandoffChanged
from shared.contracts.payloads.leads import (
    LeadContext,
    LeadQualified,
    LeadsMerged,
    Qualified,
    Reason,
    Scores,
    Touch,
)
from shared.contracts.payloads.values import Facts

__all__ = [
    "CampaignCounted",
    "CapacityDay",
    "CapacityPlanned",
    "CardTouch",
    "Change",
    "ClockChange",
    "Consent",
    "ConsentState",
    "EventKind",
    "Facts",
    "FormAnswer",
    "HandoffChanged",
    "Identity",
    "LeadCard",
    "LeadContext",
    "LeadQualified",
    "LeadsMerged",
    "MarketingEvent",
    "PageViews",
    "Purchase",
    "Qualified",
    "Reason",
    "RejectionCount",
    "Scope",
    "Scores",
    "SlaChanged",
    "TopicViews",
    "Touch",
    "WonAmount",
]
