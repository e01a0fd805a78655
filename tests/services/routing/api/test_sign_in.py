"""Sign-in over HTTP: without a key, once, and not for a rep who left meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.auth.keys import KeyScope
from shared.auth.sign_in import create_link
from shared.db.session import Sessions
from tests.builders import NOON
from tests.services.routing.builders import entry, importing

pytestmark = pytest.mark.postgres


@pytest.fixture
def http_client(sessions: Sessions) -> Iterator[TestClient]:
    """A client without a key; Grace is a rep."""
    with sessions.begin() as session:
        importing(session, entry("grace"))
    with TestClient(build_api(sessions, time_source=lambda: NOON)) as client:
        yield client


def new_link(sessions: Sessions, *, scope: KeyScope, subject: str) -> str:
    with sessions.begin() as session:
        return create_link(session, scope=scope, subject=subject, now=NOON)


@pytest.mark.parametrize(
    ("scope", "subject"), [(KeyScope.OPS, "olga"), (KeyScope.REP, "grace")], ids=["ops", "rep"]
)
def test_a_link_becomes_a_key_that_works_and_no_second_one(
    http_client: TestClient, sessions: Sessions, scope: KeyScope, subject: str
) -> None:
    token = new_link(sessions, scope=scope, subject=subject)

    response = http_client.post("/v1/sign-in", json={"token": token})
    again = http_client.post("/v1/sign-in", json={"token": token})

    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["scope"], body["subject"]) == (scope, subject)
    assert body["expires_at"] == "2026-11-19T00:00:00Z"
    headers = {"authorization": f"Bearer {body['key']}"}
    assert http_client.get("/v1/handoffs", headers=headers).status_code == 200
    assert (again.status_code, again.json()["code"]) == (410, "spent_link")
    assert "www-authenticate" not in again.headers


def test_a_rep_who_left_meanwhile_gets_no_key(http_client: TestClient, sessions: Sessions) -> None:
    token = new_link(sessions, scope=KeyScope.REP, subject="grace")
    with sessions.begin() as session:
        importing(session, entry("linus"))

    for _ in range(2):
        response = http_client.post("/v1/sign-in", json={"token": token})
        assert (response.status_code, response.json()["code"]) == (403, "inactive_rep")


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": "x" * 101}, {"token": "a\0b"}, {"token": 1}], ids=str
)
def test_what_is_no_token_is_refused(http_client: TestClient, body: dict[str, object]) -> None:
    assert http_client.post("/v1/sign-in", json=body).status_code == 422
