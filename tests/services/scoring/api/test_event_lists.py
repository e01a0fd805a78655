"""The accepted events of all leads are listed, the latest first, in bounded windows of time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, days, marketing_event, minutes
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres
NOW = NOON + days(7)
"""The present of the fixture `client`."""


class EventsClient:
    """A client with a key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, status: int = 200, **params: Any) -> Any:
        got = self._client.get("/v1/events", params=params, headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()

    def ids(self, **params: Any) -> list[str]:
        return [it["id"] for it in self.get(**params)["items"]]


def client_of(client: TestClient, sessions: Sessions, scope: KeyScope) -> EventsClient:
    with sessions.begin() as session:
        key = create_key(session, scope=scope, subject="grace", now=NOON)
    return EventsClient(client, key)


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> EventsClient:
    """Events of the last seconds, minutes, days and months."""
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(
            marketing_event(id="now", time=NOW, email="bob@example.com"),
            marketing_event(id="seconds", time=NOW - minutes(0.1), marks=("bot",)),
            marketing_event("form_submitted", id="minutes", time=NOW - minutes(9)),
            marketing_event(id="days", time=NOW - days(3), source="crm"),
            marketing_event("form_submitted", id="month", time=NOW - days(31)),
            marketing_event(id="year", time=NOW - days(365)),
            now=NOW,
        )
    return client_of(client, sessions, KeyScope.OPS)


def test_events_come_in_pages_the_latest_first(ops: EventsClient) -> None:
    first = ops.get(limit=2)
    second = ops.get(limit=2, after=first["next"])
    assert [it["id"] for it in first["items"] + second["items"]] == [
        "now", "seconds", "minutes", "days",
    ]  # fmt: skip


def test_without_since_a_page_looks_a_month_back(ops: EventsClient) -> None:
    assert ops.ids() == ["now", "seconds", "minutes", "days"]
    assert ops.ids(until="2026-10-30") == ["month"]
    assert ops.ids(since="2025-01-01") == ["now", "seconds", "minutes", "days", "month", "year"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"source": "crm"}, ["days"]),
        ({"type": "form_submitted"}, ["minutes"]),
        ({"type": "form_submitted", "since": "2026-01-01"}, ["minutes", "month"]),
        ({"since": "2026-11-25T11:59:00Z"}, ["now", "seconds"]),
        ({"until": "2026-11-25T11:59:00Z", "since": "2026-11-01"}, ["minutes", "days"]),
        ({"source": "nobody"}, []),
    ],
)
def test_events_are_filtered(ops: EventsClient, filters: dict[str, str], ids: list[str]) -> None:
    assert ops.ids(**filters) == ids


def test_a_line_tells_nothing_of_the_person_but_the_id_of_the_lead(
    sessions: Sessions, ops: EventsClient
) -> None:
    line = ops.get()["items"][1]
    with sessions() as session:
        lead_id = session.scalar(text("select lead_id from scoring.events where id = 'seconds'"))
    assert line == {
        "source": "website",
        "id": "seconds",
        "type": "page_viewed",
        "time": "2026-11-25T11:59:54Z",
        "received_at": "2026-11-25T11:59:54Z",
        "marks": ["bot"],
        "lead_id": str(lead_id),
    }


def test_reps_see_no_events_of_all_leads(client: TestClient, sessions: Sessions) -> None:
    assert client_of(client, sessions, KeyScope.REP).get(403)["code"] == "wrong_scope"


def test_bad_parameters_are_refused(ops: EventsClient) -> None:
    assert ops.get(400, after="?")["code"] == "bad_cursor"
    assert ops.get(422, since="2026-11-20", until="2026-11-01")["code"] == "empty_range"


def test_a_window_is_read_from_the_index_on_time(sessions: Sessions) -> None:
    statement = (
        "explain select id from scoring.events where time >= timestamptz '2026-11-25 11:59Z'"
        " and time < timestamptz '2026-11-25 12:00Z' order by time desc limit 50"
    )
    with sessions() as session:
        session.execute(
            text(
                "insert into scoring.events select 'website', n::text, gen_random_uuid(), 'page_viewed',"
                " timestamptz '2026-11-01Z' + n * interval '1 minute', '{}' from generate_series(1, 50000) n"
            )
        )
        session.execute(text("analyze scoring.events"))
        plan = "\n".join(session.scalars(text(statement)))
    assert "ix_events_time" in plan
