"""The payload of each topic. Fields are added; they are never removed and never change their meaning."""

from __future__ import annotations

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
    "Change",
    "ClockChange",
    "EventKind",
    "Facts",
    "HandoffChanged",
    "Identity",
    "LeadContext",
    "LeadQualified",
    "LeadsMerged",
    "MarketingEvent",
    "Qualified",
    "Reason",
    "Scope",
    "Scores",
    "SlaChanged",
    "Touch",
]
