"""The HTTP edge of scoring: events come in as platforms send them, and go out as marketing.events."""

from __future__ import annotations

from services.scoring.ingest.pipeline import Limits, Publisher
from services.scoring.ingest.routes import router

__all__ = ["Limits", "Publisher", "router"]
