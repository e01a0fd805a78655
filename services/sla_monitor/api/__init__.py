"""The SLA monitor over HTTP: lists of clocks, explanations, applications, counts, acknowledgements, attainment."""

from __future__ import annotations

from fastapi import APIRouter

from services.sla_monitor.api import (
    acknowledgements,
    applications,
    attainment,
    clocks,
    counts,
    explanations,
    streams,
)
from services.sla_monitor.domain.policy import SlaPolicy
from shared.agreement.store import Policies


def router(policies: Policies[SlaPolicy]) -> APIRouter:
    """Every route of this service."""
    routes = APIRouter(prefix="/v1/sla", tags=["sla"])
    routes.include_router(streams.router)
    routes.include_router(clocks.router)
    routes.include_router(explanations.router(policies))
    routes.include_router(acknowledgements.router)
    routes.include_router(applications.router(policies))
    routes.include_router(counts.router)
    routes.include_router(attainment.router)
    return routes
