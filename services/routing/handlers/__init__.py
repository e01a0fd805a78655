"""What routing does when something arrives: a qualified lead, a breach, a rep's answer, or simply time."""

from __future__ import annotations

from services.routing.handlers.answering import answer
from services.routing.handlers.breaching import on_sla_changed
from services.routing.handlers.office import Office
from services.routing.handlers.placing import place, tick
from services.routing.handlers.qualifying import on_leads_qualified

__all__ = ["Office", "answer", "on_leads_qualified", "on_sla_changed", "place", "tick"]
