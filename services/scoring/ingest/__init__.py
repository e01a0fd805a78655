"""The HTTP edge of scoring: it takes in events as platforms send them, and publishes them to `marketing.events`."""

from __future__ import annotations

from services.scoring.ingest.declared_traits import DeclaredTraits
from services.scoring.ingest.pipeline import Limits, Publisher
from services.scoring.ingest.routes import router

__all__ = ["DeclaredTraits", "Limits", "Publisher", "router"]
