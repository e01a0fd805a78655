"""Alignment over HTTP: the funnel, measures, promises, the leads behind figures, attribution, campaigns, capacity."""

from __future__ import annotations

from fastapi import APIRouter

from services.alignment.api import (
    attribution,
    campaigns,
    capacity,
    funnel,
    health,
    leads,
    measures,
    outcomes,
    promises,
    rejections,
    spend,
    spend_parts,
    wins,
)
from services.alignment.domain.policy import AlignmentPolicy
from shared.agreement.store import Policies


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """Every route of this service."""
    routes = APIRouter(prefix="/v1", tags=["alignment"])
    routes.include_router(funnel.router)
    routes.include_router(rejections.router)
    routes.include_router(leads.router(policies))
    routes.include_router(measures.router(policies))
    routes.include_router(promises.router(policies))
    routes.include_router(attribution.router(policies))
    routes.include_router(wins.router(policies))
    routes.include_router(campaigns.router(policies))
    routes.include_router(outcomes.router)
    routes.include_router(spend.router)
    routes.include_router(spend_parts.router)
    routes.include_router(capacity.router)
    routes.include_router(health.router(policies))
    return routes
