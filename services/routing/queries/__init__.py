"""All SQL of routing, by what it is about: handoffs, the bench of reps, deliveries, the file of reps."""

from __future__ import annotations

from services.routing.queries.roster import active_reps

__all__ = ["active_reps"]
