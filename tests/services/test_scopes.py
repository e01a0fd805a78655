"""Which key opens which route: every route of every API has its decision here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON
from tests.services.apis import apis_on
from tests.services.sla_monitor.builders import TOUCH, publish_policies

pytestmark = pytest.mark.postgres

NOBODY = UUID(int=0)
OPEN = {"/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/v1/sign-in"}
OPEN |= {"/a/{token}", "/answers.css"}  # a link opens these instead of a key
INGEST = {KeyScope.INGEST}
OPS = {KeyScope.OPS}
SEES_ALL = {KeyScope.OPS, KeyScope.READ}
SEES = {KeyScope.OPS, KeyScope.READ, KeyScope.REP}
ANSWERS = {KeyScope.OPS, KeyScope.REP}
SENT_BY_CLIENTS = (
    "events", "batch", "identify", "track", "page", "screen", "group", "alias",
    "b", "i", "t", "p", "s", "g", "a",
)  # fmt: skip

SERVICES = ("scoring", "routing", "sla", "alignment")

OPENED_BY = {
    **{f"scoring POST /v1/{name}{end}": INGEST for name in SENT_BY_CLIENTS for end in ("", "/")},
    **{f"{name} GET /v1/key": set(KeyScope) for name in SERVICES},
    "scoring GET /v1/events": SEES_ALL,
    "scoring GET /v1/events/sources": SEES_ALL,
    "scoring GET /v1/events/stream": SEES_ALL,
    "scoring GET /v1/rejections": SEES_ALL,
    "scoring POST /v1/rejections/{rejection_id}/retry": OPS,
    "scoring GET /v1/leads": SEES,
    "scoring GET /v1/leads/{lead_id}": SEES,
    "scoring GET /v1/leads/{lead_id}/events": SEES,
    "scoring POST /v1/leads/{lead_id}/reopen": OPS,
    "routing GET /v1/handoffs": SEES,
    "routing GET /v1/handoffs/stream": SEES,
    "routing GET /v1/handoffs/counts": SEES,
    "routing GET /v1/handoffs/{id}": SEES,
    "routing POST /v1/handoffs/{id}/accept": ANSWERS,
    "routing POST /v1/handoffs/{id}/reject": ANSWERS,
    "routing POST /v1/handoffs/{id}/contact": ANSWERS,
    "routing POST /v1/handoffs/{id}/pause": ANSWERS,
    "routing POST /v1/handoffs/{id}/resume": ANSWERS,
    "routing POST /v1/handoffs/{id}/win": ANSWERS,
    "routing POST /v1/handoffs/{id}/lose": ANSWERS,
    "routing POST /v1/handoffs/{id}/reassign": OPS,
    "routing POST /v1/reroutes": OPS,
    "routing GET /v1/reroutes/{id}": SEES_ALL,
    "routing GET /v1/reroutes/{id}/handoffs": SEES_ALL,
    "routing POST /v1/reroutes/{id}/confirm": OPS,
    "routing POST /v1/reroutes/{id}/cancel": OPS,
    "routing GET /v1/views": SEES,
    "routing PUT /v1/views/{name:path}": ANSWERS,
    "routing DELETE /v1/views/{name:path}": ANSWERS,
    "routing GET /v1/deliveries": SEES_ALL,
    "routing POST /v1/deliveries/{id}/redeliver": OPS,
    "routing POST /v1/deliveries/replay": OPS,
    "routing GET /v1/endpoints": SEES_ALL,
    "routing PUT /v1/endpoints/{id:path}": OPS,
    "routing POST /v1/endpoints/{id:path}/rotate-secret": OPS,
    "routing POST /v1/endpoints/{id:path}/rotate-key": OPS,
    "routing POST /v1/endpoints/{id:path}/test": OPS,
    "routing POST /v1/endpoints/{id:path}/enable": OPS,
    "routing DELETE /v1/endpoints/{id:path}": OPS,
    "routing GET /v1/agreement/versions": SEES_ALL,
    "routing GET /v1/agreement/versions/{number}": SEES_ALL,
    "routing GET /v1/agreement/diff": SEES_ALL,
    "routing GET /v1/agreement/rules": SEES_ALL,
    "routing POST /v1/agreement/check": SEES_ALL,
    "routing POST /v1/routing/simulate": OPS,
    "routing GET /v1/reps": SEES,
    "routing GET /v1/reps/names": SEES,
    "routing GET /v1/roster": OPS,
    "routing PUT /v1/roster": OPS,
    "routing GET /v1/accounts": SEES_ALL,
    "routing PUT /v1/accounts": OPS,
    "routing POST /v1/reps/{id}/away": OPS,
    "routing POST /v1/reps/{id}/back": OPS,
    "routing POST /v1/reps/{id}/deactivate": OPS,
    "sla GET /v1/sla/stream": SEES,
    "sla GET /v1/sla/breaches": SEES,
    "sla GET /v1/sla/at-risk": SEES,
    "sla GET /v1/sla/upcoming": SEES,
    "sla GET /v1/sla/clocks": SEES,
    "sla GET /v1/sla/clocks/{clock_id}/explain": SEES,
    "sla POST /v1/sla/clocks/{clock_id}/acknowledge": OPS,
    "sla GET /v1/sla/applications/preview": SEES_ALL,
    "sla POST /v1/sla/applications": OPS,
    "sla GET /v1/sla/applications": SEES_ALL,
    "sla GET /v1/sla/applications/{id}": SEES_ALL,
    "sla GET /v1/sla/counts": SEES,
    "sla GET /v1/sla/recent": SEES_ALL,
    "sla GET /v1/sla/attainment": SEES,
    "sla GET /v1/sla/attainment/daily": SEES,
    "sla GET /v1/health": SEES_ALL,
    "alignment GET /v1/alignment": SEES_ALL,
    "alignment GET /v1/alignment/capacity": SEES_ALL,
    "alignment GET /v1/alignment/health": SEES_ALL,
    "alignment GET /v1/alignment/leads": SEES_ALL,
    "alignment GET /v1/alignment/rejections": SEES_ALL,
    "alignment GET /v1/attribution": SEES_ALL,
    "alignment GET /v1/attribution/wins": SEES_ALL,
    "alignment GET /v1/campaigns": SEES_ALL,
    "alignment GET /v1/campaigns/{campaign:path}/outcomes": SEES_ALL,
    "alignment PUT /v1/campaigns/{campaign:path}/spend": OPS,
    "alignment GET /v1/campaigns/{campaign:path}/spend": SEES_ALL,
    "alignment GET /v1/measures": SEES_ALL,
    "alignment GET /v1/promises": SEES_ALL,
    "alignment GET /v1/spend": SEES_ALL,
}
"""A route that is not here, or is no longer there, fails the test below: decide who may call it."""


def routes(sessions: Sessions) -> set[str]:
    """Every route that an API serves, but for preflights, as `api METHOD path`."""
    return {
        f"{name} {method} {path}"
        for name, app in apis_on(sessions).items()
        for path, methods in flat(app.routes)
        for method in methods - {"OPTIONS", "HEAD"}
        if path not in OPEN
    }


def flat(served: Iterable[Any]) -> Iterator[tuple[str, set[str]]]:
    """Path and methods of each route, those of included routers too; what has no path shows as such and fails."""
    for route in served:
        if hasattr(route, "effective_route_contexts"):
            yield from flat(route.effective_route_contexts())
        else:
            yield getattr(route, "path", "?"), set(getattr(route, "methods", None) or {"ANY"})


def test_every_route_has_a_decision(sessions: Sessions) -> None:
    assert routes(sessions) == OPENED_BY.keys()


@pytest.mark.parametrize("scope", [*KeyScope, None], ids=str)
def test_every_route_is_opened_by_these_scopes_and_no_others(
    sessions: Sessions, scope: KeyScope | None
) -> None:
    headers = {"content-type": "application/json"}
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
    if scope is not None:
        with sessions.begin() as session:
            key = create_key(session, scope=scope, subject="ada", now=NOON)
        headers["authorization"] = f"Bearer {key}"
    clients = {name: TestClient(app, headers=headers) for name, app in apis_on(sessions).items()}

    for route, scopes in OPENED_BY.items():
        api, method, path = route.split(" ")
        url = re.sub(r"\{[^}]+\}", str(NOBODY), path)
        answer = clients[api].request(method, url, content=b"{}" if method == "POST" else None)
        if scope is None:
            assert answer.status_code == 401, route
            assert answer.json()["code"] == "unknown_key", route
        elif scope in scopes:
            assert answer.status_code not in (401, 403), (route, answer.text)
            assert answer.status_code < 500, (route, answer.text)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope"), route
