"""Clients of the SLA monitor's API, each with a key."""

from __future__ import annotations

from csv import DictReader
from io import StringIO
from typing import Any

from fastapi.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON


class SlaClient:
    """A client with a key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        got = self._client.get(f"/v1/sla/{path}", params=parameters, headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        got = self._client.post(f"/v1/sla/{path}", json=body, headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()

    def csv(self, path: str, accept: str = "*/*", **parameters: Any) -> tuple[Any, list[Any]]:
        """The response's headers, and the rows of its CSV, each by its columns."""
        headers = {**self._headers, "accept": accept}
        got = self._client.get(f"/v1/sla/{path}", params=parameters, headers=headers)
        assert got.status_code == 200, got.text
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return got.headers, list(DictReader(StringIO(got.text, newline="")))

    def ids(self, path: str, **parameters: Any) -> list[tuple[str, str]]:
        return [(it["rep"], it["policy"]) for it in self.get(path, **parameters)["items"]]


def client_with_key(
    client: TestClient, sessions: Sessions, scope: KeyScope, subject: str
) -> SlaClient:
    with sessions.begin() as session:
        return SlaClient(client, create_key(session, scope=scope, subject=subject, now=NOON))
