"""Every answer of every API is as its OpenAPI document describes, for valid and for invalid requests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.routing.handlers import Assigner
from services.scoring.queries.leads import leads_after
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from shared.http.problems import PROBLEM_TYPE
from tests.builders import NOON, handoff_changed, lead_qualified, marketing_event
from tests.services.apis import apis_on
from tests.services.routing.builders import URL, entry, importing, qualifying
from tests.services.scoring.conftest import Worker
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    numbered,
    publish_policies,
    step,
)
from tests.services.test_scopes import OPENED_BY as DECISIONS
from tests.serving import serving

pytestmark = pytest.mark.postgres

EXAMPLES = int(os.environ.get("LEADBATON_FUZZ_EXAMPLES", "5"))
"""How many valid, and how many invalid, requests each operation gets with each key; `make fuzz` sets more."""

MAX_REFUSED = 2
"""How many requests each operation gets with a key that may not call it."""

PEOPLE = [f"person{number}" for number in range(24)]

POSITIVE = GenerationMode.POSITIVE

Described = APIOperation[Any, Any, Any, Any]

OPENED_BY = {route.replace(":path", ""): scopes for route, scopes in DECISIONS.items()}

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Served:
    """An API at its URL, with ids that exist there."""

    name: str
    url: str
    client: requests.Session
    operations: Sequence[Described]
    path_values: dict[str, list[str]]

    def ids(self, operation: Described) -> list[str]:
        """The ids that exist for the path of the operation."""
        return [
            value
            for beginning, values in self.path_values.items()
            if operation.path.startswith(beginning)
            for value in values
        ]


def populate(sessions: Sessions) -> None:
    """Store people with events, a handoff and a clock each; Grace holds all handoffs."""
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        importing(session, entry("grace"), entry("linus"))
        worker = Worker(session)
        worker.take(*(marketing_event(email=f"{name}@example.com") for name in PEOPLE))
        for lead in leads_after(session, None, limit=len(PEOPLE)):
            worker.follow(handoff_changed(lead=lead.id))
        assigner = Assigner(URL)
        qualifying(session, assigner, *(lead_qualified(lead=name) for name in PEOPLE))
        for name in PEOPLE:
            handle_changes(session, *numbered(step(Change.ASSIGNED, lead=name)))


def keys(sessions: Sessions) -> dict[KeyScope | None, dict[str, str]]:
    """Headers with a key of each scope, and without one; scopes that change most come last."""
    headers: dict[KeyScope | None, dict[str, str]] = {None: {}}
    with sessions.begin() as session:
        for scope in (KeyScope.INGEST, KeyScope.READ, KeyScope.REP, KeyScope.OPS):
            key = create_key(session, scope=scope, subject="grace", now=NOON)
            headers[scope] = {"authorization": f"Bearer {key}"}
    return headers


def path_values(client: TestClient, described: dict[str, Any]) -> dict[str, list[str]]:
    """Ids that exist, from the lists of the API, by the beginning of the paths that take them."""
    lists = ("/v1/handoffs", "/v1/deliveries", "/v1/endpoints", "/v1/sla/clocks")
    values = {
        f"{path}/": [it["id"] for it in client.get(path).json()["items"]]
        for path in lists
        if path in described
    }
    if "/v1/leads" in described:
        lead = client.get("/v1/leads", params={"email": f"{PEOPLE[0]}@example.com"}).json()
        values["/v1/leads/"] = [lead["id"]]
    assert all(values.values())
    return values


@pytest.mark.parametrize("api", ["scoring", "routing", "sla", "alignment"])
def test_every_answer_is_as_described(sessions: Sessions, api: str) -> None:
    populate(sessions)
    headers = keys(sessions)
    assert headers.keys() == {None, *KeyScope}
    app = apis_on(sessions)[api]
    values = path_values(TestClient(app, headers=headers[KeyScope.OPS]), app.openapi()["paths"])

    with serving(app) as url, requests.Session() as client:
        served = Served(api, url, client, described_operations(app), values)
        for scope, key in headers.items():
            ask_everything(served, scope, key)


def described_operations(app: FastAPI) -> list[Described]:
    """All operations in the API's OpenAPI document."""
    operations = []
    for result in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        assert isinstance(result, Ok), result.err()
        operations.append(result.ok())
    return operations


def ask_everything(served: Served, scope: KeyScope | None, key: dict[str, str]) -> None:
    """Send requests to each operation; all are refused that the scope may not call."""
    answered: set[int] = set()
    for operation in served.operations:
        route = f"{served.name} {operation.method.upper()} {operation.path}"
        if scope in OPENED_BY.get(route, ()):  # without a key, a sign-in takes the token of a link
            for mode in modes_of(operation):
                answered |= ask(operation, mode, served, key, max_examples=EXAMPLES)
        else:
            refused = ask(operation, POSITIVE, served, key, max_examples=MAX_REFUSED)
            assert all(400 <= status < 500 for status in refused), (scope, operation.path)
    assert 200 in answered or not answered, scope


def modes_of(operation: Described) -> Sequence[GenerationMode]:
    """Valid requests, and invalid ones where the operation has a parameter or a body."""
    can_differ = operation.body or operation.query or operation.path_parameters
    return list(GenerationMode) if can_differ else [POSITIVE]


def ask(
    operation: Described,
    mode: GenerationMode,
    served: Served,
    key: dict[str, str],
    *,
    max_examples: int,
) -> set[int]:
    """Send requests and check the answers; returns their statuses."""
    statuses = set()

    @fuzz(max_examples)
    @given(case=operation.as_strategy(mode), value=st.sampled_from([None, *served.ids(operation)]))
    def request(case: Case[Any], value: str | None) -> None:
        if value is not None:
            case.path_parameters = dict.fromkeys(case.path_parameters, value)
        answer = case.call(served.url, served.client, headers=key)
        case.validate_response(answer, checks=CHECKS)
        statuses.add(answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [PROBLEM_TYPE]
            assert {"code", "message"} <= answer.json().keys()

    request()
    return statuses


def fuzz(max_examples: int) -> settings:
    """Settings for the same requests each time, except in `make fuzz`; nothing shrinks, since servers have a state."""
    return settings(
        max_examples=max_examples,
        derandomize="LEADBATON_FUZZ_EXAMPLES" not in os.environ,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
