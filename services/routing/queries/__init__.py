"""All SQL of routing, by what it is about: handoffs and their lives, the bench of reps, rounds, deliveries."""

from __future__ import annotations

from services.routing.queries.reps import active_reps

__all__ = ["active_reps"]
