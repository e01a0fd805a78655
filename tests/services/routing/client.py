"""A client of routing's API with a key for each rep and for ops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from services.routing.domain.handoff import handoff_id
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.routing.builders import announced_changes, entry, importing

NOW = NOON + timedelta(minutes=10)
ADA = handoff_id(an_id("ada"), 1)


class RoutingClient:
    """A client with a key for each rep and for ops."""

    def __init__(self, http_client: TestClient, sessions: Sessions) -> None:
        self._http_client, self.sessions = http_client, sessions
        subjects = {
            "grace": KeyScope.REP,
            "linus": KeyScope.REP,
            "ops": KeyScope.OPS,
            "web": KeyScope.INGEST,
        }
        with sessions.begin() as session:
            self._keys = {
                subject: create_key(session, scope=scope, subject=subject, now=NOON)
                for subject, scope in subjects.items()
            }

    def get(self, path: str, *, by: str = "ops", status: int = 200, **query: Any) -> Any:
        got = self._http_client.get(f"/v1{path}", params=query or None, headers=self._as(by))
        assert got.status_code == status, got.text
        return got.json()

    def text(self, path: str, *, by: str = "ops", **query: Any) -> str:
        """The CSV of a list."""
        got = self._http_client.get(f"/v1{path}", params=query, headers=self._as(by))
        assert got.status_code == 200, got.text
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return got.text

    def post(self, path: str, body: Any = None, *, by: str = "grace", status: int = 200) -> Any:
        got = self._http_client.post(f"/v1{path}", json=body, headers=self._as(by))
        assert got.status_code == status, got.text
        return got.json()

    def put(self, path: str, body: Any, *, by: str = "ops", status: int = 200) -> Any:
        got = self._http_client.put(f"/v1{path}", json=body, headers=self._as(by))
        assert got.status_code == status, got.text
        return got.json()

    def delete(self, path: str, *, by: str = "ops", status: int = 204) -> None:
        got = self._http_client.delete(f"/v1{path}", headers=self._as(by))
        assert got.status_code == status, got.text

    def say(
        self,
        verb: str,
        body: Any = None,
        *,
        id: UUID | str = ADA,
        by: str = "grace",
        status: int = 200,
    ) -> Any:
        """Answer for the handoff; the error, or the handoff's details, of which the response is a part."""
        response = self.post(f"/handoffs/{id}/{verb}", body, by=by, status=status)
        if status != 200:
            return response
        details = self.get(f"/handoffs/{id}", by=by)
        assert response.pop("last_step") == details["history"][-1]
        assert response == {name: details[name] for name in response}
        return details

    def announced_changes(self) -> list[tuple[str, str | None]]:
        with self.sessions() as session:
            return announced_changes(session)

    def key(self, subject: str) -> str:
        """The key of a rep or of ops."""
        return self._keys[subject]

    def _as(self, subject: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._keys[subject]}"}


def hire_linus(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        importing(session, entry("grace", capacity={"open": 1}), entry("linus"))
