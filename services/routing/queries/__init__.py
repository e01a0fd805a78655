"""All SQL of routing: handoffs and their steps, reps and teams, allocations, deliveries and endpoints."""

from __future__ import annotations

from services.routing.queries.reps import active_reps

__all__ = ["active_reps"]
