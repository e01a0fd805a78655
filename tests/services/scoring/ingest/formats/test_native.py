"""Leadbaton's own format: a result for each event, and no event lost for another's fault."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from services.scoring.ingest import Limits
from shared.contracts.payloads import EventKind, Identity
from shared.db.session import Sessions
from tests.services.scoring.ingest.conftest import NOON, Broker, api

pytestmark = pytest.mark.postgres


def event(id: str = "1", **fields: Any) -> dict[str, Any]:
    """An event in which nothing is wrong."""
    return {
        "id": id,
        "type": "demo_requested",
        "time": "2026-12-01T11:00:00Z",
        "lead": {"email": "Ada@Example.com"},
        **fields,
    }


def test_one_event_becomes_a_record(client: TestClient, broker: Broker) -> None:
    response = client.post(
        "/v1/events",
        json=event(traits={"company": "Acme"}, properties={"form": "demo"}),
        headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
    )

    assert (response.status_code, response.json()) == (200, {"results": {"1": {"status": "ok"}}})
    came = broker.event
    assert (came.source, came.id, came.type, came.kind) == (
        "site",
        "1",
        "demo_requested",
        EventKind.TRACK,
    )
    assert came.identity == Identity(email="ada@example.com")
    assert (came.time, came.received_at) == (NOON - timedelta(hours=1), NOON)
    assert (came.traits, came.properties, came.marks) == (
        {"company": "Acme"},
        {"form": "demo"},
        (),
    )
    [record] = broker.records
    headers = dict(record.headers)
    assert (record.key, headers["ce_id"]) == (b"ada@example.com", b"site/1")
    assert headers["traceparent"].startswith(b"00-" + b"a" * 32 + b"-")
    assert b"b" * 16 not in headers["traceparent"]


@pytest.mark.parametrize(
    "body",
    [
        [event("1"), event("2")],
        {"events": [event("1"), event("2")]},
        [event("1"), event("2"), event("1", type="other")],
    ],
    ids=["list", "object", "an id twice"],
)
def test_a_list_has_a_result_for_each_id(client: TestClient, broker: Broker, body: Any) -> None:
    response = client.post("/v1/events/", json=body)

    assert response.json()["results"] == {"1": {"status": "ok"}, "2": {"status": "ok"}}
    assert [it.id for it in broker.events] == ["1", "2"]
    assert broker.events[0].type == "demo_requested"


def test_an_empty_list_is_nothing(client: TestClient, broker: Broker) -> None:
    assert client.post("/v1/events", json=[]).json() == {"results": {}}
    assert broker.records == []


DEEP: Any = 1
for _ in range(252):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("bad", "code", "part"),
    [
        ("text", "invalid_event", "event: "),
        (event("2", type=7), "invalid_event", "type: "),
        (event("2", type="no good"), "invalid_event", "type: "),
        (event("2", time="tomorrow"), "invalid_event", "time: "),
        (event("2", time=1_700_000_000), "invalid_event", "RFC 3339"),
        (event("2", time="2026-12-01T11:00:00"), "invalid_event", "time: "),
        (event("2", traits=[]), "invalid_event", "traits: "),
        (event("2", lead={"email": {}}), "invalid_event", "lead.email: "),
        ({**event("2"), "lead": None}, "invalid_event", "lead: "),
        ({"type": "x", "lead": {}}, "invalid_event", "id: "),
        (event("2" * 201), "invalid_event", "id: "),
        (event("2", lead={}), "no_identity", "e-mail"),
        (event("2", lead={"email": "not one", "user_id": "null"}), "no_identity", "e-mail"),
        (event("2", properties={"text": "x" * 40_000}), "event_too_large", "32768"),
        (event("2", properties={"deep": DEEP}), "event_too_deep", "flatten"),
    ],
)
def test_a_bad_event_is_refused_kept_and_fails_alone(
    client: TestClient, broker: Broker, ops: dict[str, str], bad: Any, code: str, part: str
) -> None:
    response = client.post("/v1/events", json=[event("1"), bad, event("3")])

    assert response.status_code == 200
    results = response.json()["results"]
    assert [it.id for it in broker.events] == ["1", "3"]
    [refused] = [it for it in results.values() if it["status"] != "ok"]
    assert (refused["status"], refused["code"]) == ("rejected", code)
    assert part in refused["message"]

    [kept] = client.get("/v1/rejections", headers=ops).json()["items"]
    assert (kept["source"], kept["code"], kept["reason"]) == ("site", code, refused["message"])
    assert (kept["text"], kept["size"]) == (
        (document := orjson.dumps(bad).decode())[:32_000],
        len(document),
    )


def test_what_no_library_writes_again_is_refused_too(client: TestClient) -> None:
    deeper = "[" * 300 + "]" * 300
    big = "x" * 33_000
    item = orjson.dumps(event("1")).decode()
    body = f'[{item}, {{"id": "2", "deep": {deeper}}}, {{"id": "3", "big": "{big}"}}]'

    results = client.post("/v1/events", content=body).json()["results"]

    assert {name: it.get("code") for name, it in results.items()} == {
        "1": None,
        "2": "event_too_deep",
        "3": "event_too_large",
    }


@pytest.mark.parametrize("levels", [300, 1_015])
def test_what_is_too_deep_even_to_be_cut_out_is_kept_with_all_around_it(
    client: TestClient, broker: Broker, ops: dict[str, str], levels: int
) -> None:
    deep = b'{"in":' + b"[" * levels + b"]" * levels + b"}"
    body = orjson.dumps([event("1"), event("2")])[:-2] + b',"properties":' + deep + b"}]"

    response = client.post("/v1/events", content=body)

    assert response.json()["results"]["2"]["code"] == "event_too_deep"
    assert broker.event.id == "1"
    [kept] = client.get("/v1/rejections", headers=ops).json()["items"]
    assert deep in base64.b64decode(kept["base64"])


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b'{"id": "1",\n "type": }', "line 2"),
        (b"", "line 1"),
        (b'"\xff"', "line 1"),
        (b"[" * 5_000, "depth"),
    ],
)
def test_malformed_json_is_refused_with_its_place_and_kept(
    client: TestClient, ops: dict[str, str], body: bytes, part: str
) -> None:
    response = client.post("/v1/events", content=body)

    assert (response.status_code, response.json()["code"]) == (400, "malformed_body")
    assert part in response.json()["message"]
    [kept] = client.get("/v1/rejections", headers=ops).json()["items"]
    assert base64.b64decode(kept["base64"]) == body


def test_json_that_is_none_but_common_is_read(client: TestClient, broker: Broker) -> None:
    strange = b'{"nan": NaN, "half": "\\ud83d!", "zero": "a\\u0000b", "list": [Infinity, 1.5]}'
    body = orjson.dumps(event()).replace(b'"demo_requested"', b'"x","properties":' + strange)
    zero = orjson.dumps(event("2", properties={"zero": "a\0b", "n": [None, True]}))

    for document in (body, zero):
        assert client.post(
            "/v1/events", content=document, headers={"content-type": "text/plain"}
        ).is_success

    assert broker.events[0].properties == {
        "half": "\ufffd!",
        "zero": "a\ufffdb",
        "list": [None, 1.5],
    }  # what is null is absent
    assert broker.events[1].properties == {"zero": "a\ufffdb", "n": [None, True]}


def test_as_deep_as_may_be_is_read_behind_kafka(client: TestClient, broker: Broker) -> None:
    deep: Any = {}
    for _ in range(99):
        deep = {"in": deep}
    client.post("/v1/events", json=[event("1", context=deep), event("2", context={"in": deep})])

    assert broker.event.context == deep


def test_too_many_events_are_too_many(sessions: Sessions, broker: Broker, key: str) -> None:
    client = TestClient(api(sessions, broker, limits=Limits(events=2)))
    response = client.post(
        "/v1/events", json=[event("1"), event("2"), event("3")], headers={"x-write-key": key}
    )
    assert (response.status_code, response.json()["code"]) == (413, "too_many_events")


def test_a_list_over_the_rate_comes_in_as_far_as_it_may(
    sessions: Sessions, broker: Broker, key: str
) -> None:
    client = TestClient(
        api(sessions, broker, limits=Limits(rate=1, burst=2)), headers={"x-write-key": key}
    )
    response = client.post("/v1/events", json=[event("1"), event("2"), event("3"), {"type": "x"}])

    assert response.json()["results"]["3"]["status"] == "retry"
    assert response.json()["results"]["#3"]["code"] == "rate_limited"
    assert response.headers["retry-after"] == "1"
    assert [it.id for it in broker.events] == ["1", "2"]

    later = client.post("/v1/events", json=[event("3")])
    assert (later.status_code, later.json()["code"]) == (429, "rate_limited")
    assert int(later.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("time", "expected_time", "marks"),
    [
        (None, NOON, ()),
        ("2026-12-01T13:00:00+02:00", NOON - timedelta(hours=1), ()),
        ("2026-12-01", NOON - timedelta(hours=12), ()),
        ("2026-12-01T12:00:01Z", NOON, ("clamped",)),
        ("2026-12-02T12:00:01Z", NOON, ("clock_ahead",)),
    ],
    ids=["absent", "zone", "date", "a little ahead", "far ahead"],
)
def test_no_event_lies_after_its_arrival(
    client: TestClient, broker: Broker, time: str | None, expected_time: Any, marks: Any
) -> None:
    client.post("/v1/events", json=event(time=time))
    assert (broker.event.time, broker.event.marks) == (expected_time, marks)


def test_what_is_no_identity_is_left_out_and_marked(client: TestClient, broker: Broker) -> None:
    who = {"email": "ada@", "user_id": 17, "anonymous_id": None, "phone": "+49 30 901820"}
    response = client.post("/v1/events", json=event(lead=who))

    assert broker.event.identity == Identity(user_id="17", phone="+4930901820")
    assert broker.event.marks == ("junk_identity",)
    [warning] = response.json()["results"]["1"]["warnings"]
    assert (warning["code"], warning["field"]) == ("unusable_identifier", "lead.email")
    assert "ada" not in warning["message"]


def test_bots_are_marked_and_campaigns_kept(client: TestClient, broker: Broker) -> None:
    url = "https://acme.example/pricing?utm_source=news&utm_campaign=q4&x=1"
    context = {
        "user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "page": {"url": url, "title": "Pricing"},
        "campaign": {"name": "winter"},
    }
    client.post("/v1/events", json=event(context=context))

    assert broker.event.marks == ("bot",)
    assert broker.event.properties == {"url": url, "path": "/pricing", "title": "Pricing"}
    assert broker.event.context["campaign"] == {"name": "winter", "source": "news"}
