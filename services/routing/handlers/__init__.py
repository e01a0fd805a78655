"""The handlers of routing: qualified and merged leads, breaches, answers, reassignments, plans, the worker's tick."""

from __future__ import annotations

from services.routing.handlers.answers import on_answer
from services.routing.handlers.assignment import Assigner, on_leads_qualified
from services.routing.handlers.campaigns import on_campaigns_counted
from services.routing.handlers.capacity import CapacityPlanner
from services.routing.handlers.excerpts import handoff_excerpts
from services.routing.handlers.merges import on_leads_merged
from services.routing.handlers.promises import on_sla_changed
from services.routing.handlers.reassignment import on_reassignment
from services.routing.handlers.waiting import tick

__all__ = [
    "Assigner",
    "CapacityPlanner",
    "handoff_excerpts",
    "on_answer",
    "on_campaigns_counted",
    "on_leads_merged",
    "on_leads_qualified",
    "on_reassignment",
    "on_sla_changed",
    "tick",
]
