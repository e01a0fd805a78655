"""The lists of scoring as CSV, over HTTP."""

from __future__ import annotations

import json
from csv import DictReader
from io import StringIO

import pytest
from starlette.testclient import TestClient

from services.scoring.queries.rejections import Body, Rejection, add_rejections
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, marketing_event, minutes
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


class Tables:
    """The lists of the API as rows, as ops get them."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client = client
        self.headers = {"authorization": f"Bearer {key}", "accept": "text/csv"}

    def rows(self, path: str, **query: str) -> list[dict[str, str]]:
        """The rows of a list."""
        got = self._client.get(f"/v1/{path}", params=query, headers=self.headers)
        assert got.status_code == 200, got.text
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return list(DictReader(StringIO(got.text, newline="")))


@pytest.fixture
def tables(client: TestClient, sessions: Sessions) -> Tables:
    """Three events of two leads, one of which has qualified, and an event that was refused."""
    body = Body.of(b"{", max_bytes=100)
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(
            marketing_event(
                "demo_requested", id="d-1", traits={"name": "=Ada", "company": "Söhne"}
            ),
            marketing_event(id="p-1", marks=("bot", "late"), time=NOON + minutes(1)),
            marketing_event(id="p-2", email="bob@example.com", source="crm"),
        )
        add_rejections(
            session,
            [Rejection("crm", "r-1", NOON, "invalid_event", "@no type", "native", body)],
        )
        key = create_key(session, scope=KeyScope.OPS, subject="olga", now=NOON)
    return Tables(client, key)


def test_leads_are_a_table_whose_names_are_no_formulas(tables: Tables) -> None:
    [row] = tables.rows("leads")

    assert (row["name"], row["company"], row["stage"]) == ("'=Ada", "Söhne", "qualified")
    assert [it["email"] for it in tables.rows("leads", q="ada")] == ["ada@example.com"]


def test_events_are_a_table(tables: Tables) -> None:
    rows = tables.rows("events", source="website")

    assert [(it["id"], it["marks"]) for it in rows] == [("p-1", "bot late"), ("d-1", "")]


def test_rejections_are_a_table_without_their_bytes(tables: Tables) -> None:
    [row] = tables.rows("rejections")

    assert (row["source"], row["code"], row["reason"]) == ("crm", "invalid_event", "'@no type")
    assert {"text", "base64"}.isdisjoint(row)


def test_sources_are_a_table_of_what_came(tables: Tables, client: TestClient) -> None:
    assert tables.rows("events/sources", hours="200") == [
        {"source": "crm", "accepted": "1", "repeated": "0", "rejected": "1"},
        {"source": "website", "accepted": "2", "repeated": "0", "rejected": "0"},
    ]
    listed = client.get(
        "/v1/events/sources", headers={**tables.headers, "accept": "application/json"}
    ).json()
    assert (listed["since"], listed["items"]) == ("2026-11-24T12:00:00Z", [])


def test_one_lead_is_no_list(client: TestClient, tables: Tables) -> None:
    got = client.get("/v1/leads", params={"email": "ada@example.com"}, headers=tables.headers)
    assert got.headers["content-type"] == "application/json"


def test_the_events_of_a_lead_are_a_table(tables: Tables) -> None:
    [lead] = tables.rows("leads")
    page_view, demo = tables.rows(f"leads/{lead['id']}/events")

    assert (page_view["id"], page_view["marks"]) == ("p-1", "bot late")
    assert (demo["id"], json.loads(demo["traits"])["name"]) == ("d-1", "=Ada")
    assert float(demo["points"]) > 0
