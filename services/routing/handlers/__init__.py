"""What routing does when something arrives: a qualified lead, a breach, a rep's answer, or simply time."""

from __future__ import annotations

from services.routing.handlers.answers import answer
from services.routing.handlers.assigner import Assigner
from services.routing.handlers.assignment import place, tick
from services.routing.handlers.breaches import on_sla_changed
from services.routing.handlers.qualifying import on_leads_qualified

__all__ = ["Assigner", "answer", "on_leads_qualified", "on_sla_changed", "place", "tick"]
