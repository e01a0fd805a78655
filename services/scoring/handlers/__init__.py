"""What scoring's worker does with a batch of messages, and once a second."""

from __future__ import annotations

from services.scoring.handlers.handoffs_changed import on_handoffs_changed
from services.scoring.handlers.marketing_events import RepeatCheck, on_marketing_events
from services.scoring.handlers.review import review_leads

__all__ = ["RepeatCheck", "on_handoffs_changed", "on_marketing_events", "review_leads"]
