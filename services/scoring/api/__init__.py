"""Scoring over HTTP: leads with their scores and events, and the events that were refused."""

from __future__ import annotations

from fastapi import APIRouter

from services.scoring.api import (
    event_lists,
    events,
    leads,
    rejections,
    reopening,
    sources,
    streams,
)
from services.scoring.domain.policy import ScoringPolicy
from shared.agreement.store import Policies


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """Every route of this service except those that take events."""
    routes = APIRouter(prefix="/v1")
    routes.include_router(leads.router(policies), prefix="/leads", tags=["leads"])
    routes.include_router(reopening.router(policies), prefix="/leads", tags=["leads"])
    routes.include_router(events.router(policies), prefix="/leads", tags=["leads"])
    routes.include_router(event_lists.router, tags=["ingest"])
    routes.include_router(sources.router, tags=["ingest"])
    routes.include_router(streams.router, tags=["ingest"])
    routes.include_router(rejections.router, tags=["ingest"])
    return routes
