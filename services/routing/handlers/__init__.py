"""The handlers of routing: for qualified leads, breaches, answers of reps, and the tick of the worker."""

from __future__ import annotations

from services.routing.handlers.answers import on_answer
from services.routing.handlers.assignment import Assigner, on_leads_qualified
from services.routing.handlers.breaches import on_sla_changed
from services.routing.handlers.waiting import tick

__all__ = ["Assigner", "on_answer", "on_leads_qualified", "on_sla_changed", "tick"]
