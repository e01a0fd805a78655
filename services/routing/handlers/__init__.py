"""What routing does when something arrives: a qualified lead, a breach, a rep's answer, or simply time."""

from __future__ import annotations

from services.routing.handlers.answers import answer
from services.routing.handlers.assignment import Assigner, on_leads_qualified
from services.routing.handlers.breaches import on_sla_changed
from services.routing.handlers.waiting import tick

__all__ = ["Assigner", "answer", "on_leads_qualified", "on_sla_changed", "tick"]
