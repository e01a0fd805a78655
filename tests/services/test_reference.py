"""Tests of what a developer reads of the APIs: parameters with their meaning, bodies with examples, links."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.schemas import example_of
from tests.builders import NOON
from tests.services.apis import apis_on, operations

pytestmark = pytest.mark.postgres

EXAMPLE = Path(__file__).parents[2] / "examples" / "agreement.yaml"
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_every_parameter_has_a_meaning() -> None:
    parameters = [
        (operation.path, it["name"], it.get("description"))
        for operation in operations()
        for it in operation.described.get("parameters", ())
    ]

    assert len(parameters) > 40
    assert [(path, name) for path, name, description in parameters if not description] == []


def test_every_body_has_an_example_that_the_operation_takes(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for source in (EXAMPLE.read_text(), f"{EXAMPLE.read_text()}# The second version.\n"):
            publish(session, source, by="test", now=NOON)
        keys = {
            scope: create_key(session, scope=scope, subject="web", now=NOON)
            for scope in (KeyScope.OPS, KeyScope.INGEST)
        }
    apis = apis_on(sessions)
    bodies = [it for it in operations() if "requestBody" in it.described]
    assert len(bodies) > 12

    for operation in bodies:
        app = apis[operation.api]
        content = operation.described["requestBody"]["content"]["application/json"]
        example = example_of(content, app.openapi())
        assert example is not None, operation.path
        is_ingest = operation.api == "scoring"
        key = keys[KeyScope.INGEST if is_ingest else KeyScope.OPS]
        answer = TestClient(app).request(
            operation.method,
            operation.path.replace("/reps/{id}", "/reps/nobody")
            .replace("/endpoints/{id}", "/endpoints/rep/nobody")
            .replace("{id}", NOBODY)
            .replace("{clock_id}", NOBODY),
            json=example,
            headers={"authorization": f"Bearer {key}"},
        )
        if is_ingest:
            assert answer.status_code == 200, answer.text
            assert "rejected" not in answer.text
        else:
            is_unknown = answer.status_code in (404, 410) or "unknown_rep" in answer.text
            assert answer.is_success or is_unknown, answer.text


def test_the_root_says_what_the_api_is_and_links_on(sessions: Sessions) -> None:
    for app in apis_on(sessions).values():
        client = TestClient(app)
        root = client.get("/").json()
        assert root["name"] == app.title
        assert root["summary"]
        page = client.get("/", headers={"accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        for path in root["links"].values():
            assert client.get(path).status_code in (200, 503), path
            assert f'href="{path.removeprefix("/")}"' in page.text


def test_docs_show_parameters_bodies_examples_and_webhooks(sessions: Sessions) -> None:
    pages = {name: TestClient(app).get("/docs").text for name, app in apis_on(sessions).items()}

    for text in ("lead.email", "string, 1 to 200 characters (required)", "&quot;form-8812&quot;"):
        assert text in pages["scoring"]
    for text in ("handoff.assigned", "data.lead.email", "webhook-signature", "currency"):
        assert text in pages["routing"]
    assert "accept, first_touch, meeting" in pages["sla"]
