"""What scoring's worker does with a batch of messages, and once a second."""

from __future__ import annotations

from services.scoring.handlers.excerpts import event_excerpts, qualification_excerpts
from services.scoring.handlers.handoffs_changed import on_handoffs_changed
from services.scoring.handlers.known import announce_known_before
from services.scoring.handlers.marketing_events import RepeatCheck, on_marketing_events
from services.scoring.handlers.review import review_leads

__all__ = [
    "RepeatCheck",
    "announce_known_before",
    "event_excerpts",
    "on_handoffs_changed",
    "on_marketing_events",
    "qualification_excerpts",
    "review_leads",
]
