"""What the answer tells about accepted events, and how a batch's order and its sizes count."""

from __future__ import annotations

import json
from datetime import timedelta

import orjson
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from services.scoring.ingest import DeclaredTraits
from shared.agreement.store import publish
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS
from tests.services.scoring.ingest.conftest import NOON, Broker, api
from tests.services.scoring.ingest.formats.test_native import event

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("email", "ada@"),
        ("phone", "030 901820"),
        ("user_id", "undefined"),
        ("anonymous_id", "x" * 201),
    ],
)
def test_each_unusable_identifier_is_named_and_counted_by_source(
    client: TestClient, identifier: str, text: str
) -> None:
    before = warnings_counted("unusable_identifier")
    lead = {"email": "ada@example.com", "user_id": "u", identifier: text}

    result = client.post("/v1/events", json=event(lead=lead)).json()["results"]["1"]

    assert result["status"] == "ok"
    assert [it["field"] for it in result["warnings"]] == [f"lead.{identifier}"]
    assert warnings_counted("unusable_identifier") == before + 1


def warnings_counted(code: str) -> float:
    """How many warnings of this code the source `site` has caused."""
    labels = {"source": "site", "code": code}
    return REGISTRY.get_sample_value("leadbaton_ingest_warnings_total", labels) or 0.0


def test_undeclared_and_unreadable_traits_are_named_and_counted(
    sessions: Sessions, broker: Broker, key: str
) -> None:
    declared = DeclaredTraits(sessions)
    client = TestClient(
        api(sessions, broker, declared_traits=declared), headers={"x-write-key": key}
    )
    traits = {
        "company_size": "many",
        "country": "DE",
        "customer": None,
        "title": " ",
        "employees": 5,
        "first_name": "Ada",
        "email": "ada@example.com",
    }

    def fields() -> list[tuple[str, str]]:
        result = client.post("/v1/events", json=event(traits=traits)).json()["results"]["1"]
        return [(it["code"], it["field"]) for it in result.get("warnings", ())]

    declared.refresh()
    assert fields() == []  # before the first agreement nothing is known of traits
    with sessions.begin() as session:
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON)
    declared.refresh()
    before = warnings_counted("undeclared_trait"), warnings_counted("unreadable_trait")
    assert fields() == [
        ("unreadable_trait", "traits.company_size"),
        ("undeclared_trait", "traits.employees"),
    ]
    after = warnings_counted("undeclared_trait"), warnings_counted("unreadable_trait")
    assert after == (before[0] + 1, before[1] + 1)
    assert broker.events[-1].traits["company_size"] == "many"


def test_the_largest_event_that_clients_let_through_passes(client: TestClient) -> None:
    room = 32_768 - len(orjson.dumps(event("1", properties={"text": ""})))
    bodies = [event("1", properties={"text": "x" * (room + more)}) for more in (0, 1)]

    results = [client.post("/v1/events", json=[it]).json()["results"]["1"] for it in bodies]

    assert [it.get("code") for it in results] == [None, "event_too_large"]


def test_events_of_one_instant_keep_the_order_of_their_batch(
    client: TestClient, broker: Broker
) -> None:
    times = ["2026-12-01T11:00:00.001Z"] * 3 + ["2026-12-01T11:00:00Z", "2026-12-01T11:00:00.001Z"]
    client.post("/v1/events", json=[event(f"{9 - n}", time=it) for n, it in enumerate(times)])
    hour_ago = NOON - timedelta(hours=1)

    shifts = [(it.time - hour_ago) // timedelta(microseconds=1) for it in broker.events]

    assert shifts == [1_000, 1_001, 1_002, 0, 1_003]
    client.post("/v1/events", json=[event("a", time=None), event("b", time=None)])
    assert [it.time for it in broker.events[-2:]] == [NOON - timedelta(microseconds=1), NOON]
