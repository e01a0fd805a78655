"""Clients of scoring's API, each with a key."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON


class LeadClient:
    """A client with a key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, path: str = "", status: int = 200, **params: Any) -> Any:
        """The body of the answer, which must have this status."""
        got = self._client.get(f"/v1/leads{path}", params=params, headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()

    def post(self, path: str, status: int = 200) -> Any:
        """The body of the answer to a request without a body, which must have this status."""
        got = self._client.post(f"/v1/leads{path}", headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()


def client_with_key(
    client: TestClient, sessions: Sessions, scope: KeyScope, subject: str = "grace"
) -> LeadClient:
    """A client with a key of this scope."""
    with sessions.begin() as session:
        return LeadClient(client, create_key(session, scope=scope, subject=subject, now=NOON))
