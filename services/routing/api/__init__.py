"""Routing over HTTP: handoffs with their decisions, answers of reps, deliveries, endpoints, reps, sign-in."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import SecretStr
from ssrfguard import Policy

from services.routing.api import (
    accounts,
    agreement,
    answers,
    counts,
    deliveries,
    endpoint_addresses,
    endpoints,
    handoffs,
    reassignments,
    rep_names,
    reps,
    reroutes,
    rosters,
    sign_in,
    simulations,
    streams,
    views,
)
from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.handlers.assignment import Assigner

PREFIX = "/v1"
KEYLESS_PATHS = (f"{PREFIX}{sign_in.PATH}",)
"""The paths whose requests have no key."""


def router(
    assigner: Assigner,
    secret_key: SecretStr | None,
    tester: EndpointTester,
    destination_policy: Policy,
) -> APIRouter:
    """Every route of this service."""
    routes = APIRouter(prefix=PREFIX)
    routes.include_router(streams.router, tags=["handoffs"])  # before the path with an id
    routes.include_router(counts.router, tags=["handoffs"])  # before the path that takes an id
    routes.include_router(handoffs.router(assigner), tags=["handoffs"])
    routes.include_router(answers.router(assigner), tags=["answers"])
    routes.include_router(reassignments.router(assigner), tags=["handoffs"])
    routes.include_router(reroutes.router(assigner), tags=["reroutes"])
    routes.include_router(deliveries.router, tags=["deliveries"])
    routes.include_router(endpoints.router(secret_key, tester), tags=["endpoints"])
    routes.include_router(
        endpoint_addresses.router(secret_key, tester.destination_policy), tags=["endpoints"]
    )
    routes.include_router(agreement.router(assigner), tags=["agreement"])
    routes.include_router(simulations.router(assigner), tags=["agreement"])
    routes.include_router(rep_names.router, tags=["reps"])  # before a path that takes an id
    routes.include_router(reps.router(assigner), tags=["reps"])
    routes.include_router(rosters.router(assigner, secret_key, destination_policy), tags=["reps"])
    routes.include_router(accounts.router, tags=["reps"])
    routes.include_router(views.router, tags=["views"])
    routes.include_router(sign_in.router, tags=["keys"])
    return routes
