"""The HTTP edge of scoring: events come in as platforms send them, and go out as marketing.events."""

from __future__ import annotations

from services.scoring.ingest.api import router
from services.scoring.ingest.intake import Limits, Publisher

__all__ = ["Limits", "Publisher", "router"]
