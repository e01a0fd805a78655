"""The HTTP edge of scoring: it takes in events as platforms send them, and publishes them to `marketing.events`."""

from __future__ import annotations

from fastapi import FastAPI

from services.scoring.ingest import retries, routes
from services.scoring.ingest.declared_traits import DeclaredTraits
from services.scoring.ingest.pipeline import Limits, Pipeline, Publisher
from shared.http.direct_routes import include_direct

__all__ = ["DeclaredTraits", "Limits", "Publisher", "include_routes"]


def include_routes(
    app: FastAPI,
    publisher: Publisher,
    limits: Limits,
    declared_traits: DeclaredTraits | None,
) -> None:
    """Add the routes that take in events; without `declared_traits` no event has warnings about its traits."""
    pipeline = Pipeline(publisher, limits, declared_traits)
    include_direct(app, routes.router(pipeline))
    app.include_router(retries.router(pipeline))
