"""One definition of a value, applied at the door to each event for itself: nothing is rounded, nobody is harmed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from shared.contracts.payloads import Identity
from tests.services.scoring.ingest.conftest import Broker
from tests.services.scoring.ingest.formats.test_native import event

pytestmark = pytest.mark.postgres

HUGE = "9" * 400
LONG_ID = "123456789012345678901"


def body(*events: str) -> str:
    """A native list of events, each already written."""
    return f"[{','.join(events)}]"


def event_json(id: str, /, **replaced: str) -> str:
    """An event as JSON, in which values are replaced by what no JSON library of ours writes."""
    text = orjson.dumps(event(id) | dict.fromkeys(replaced, f"<{id}>")).decode()
    for name, value in replaced.items():
        text = text.replace(f'"{name}":"<{id}>"', f'"{name}":{value}')
    return text


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (HUGE, HUGE),
        (f"-{HUGE}", f"-{HUGE}"),
        ("1e400", "1e400"),
        ("1E19", "1E19"),
        ("18446744073709551615", "18446744073709551615"),
        ("9223372036854775808", "9223372036854775808"),
        ("1e-200", "1e-200"),
        ("9" * 5_000, "9" * 5_000),
    ],
    ids=lambda it: it[:12],
)
def test_a_number_beyond_the_range_is_kept_as_text_and_marked(
    client: TestClient, broker: Broker, number: str, kept: str
) -> None:
    inside = f'{{"n": [{number}], "in": {{"n": {number}}}}}'
    for name in ("traits", "properties", "context"):
        client.post("/v1/events", content=body(event_json(f"{name}", **{name: inside})))

    for read_event, name in zip(broker.events, ("traits", "properties", "context"), strict=True):
        assert getattr(read_event, name) == {"n": [kept], "in": {"n": kept}}
        assert read_event.marks == ("number_as_text",)


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "0.1", "-0.0"])
def test_a_number_in_the_range_stays_one(client: TestClient, broker: Broker, number: str) -> None:
    alone, beside = (
        event_json("1", properties=f'{{"n": {number}}}'),
        event_json("2", properties='{"n": 1e99}'),
    )
    client.post("/v1/events", content=alone)
    client.post("/v1/events", content=body(alone, beside))

    first, second, marked = broker.events
    assert first == second
    assert orjson.dumps(first.properties["n"]) == number.encode()
    assert (first.marks, marked.marks) == ((), ("number_as_text",))


IDS = {
    "5551": "5551",
    "5551.0": "5551",
    "9223372036854775807": "9223372036854775807",
    "18446744073709551615": "18446744073709551615",
    LONG_ID: LONG_ID,
    f"{LONG_ID}.0": LONG_ID,
    f'"{LONG_ID}"': LONG_ID,
    "1e20": "100000000000000000000",
    "12345678901234567.0": "12345678901234567",
    "9007199254740993.0": "9007199254740993",
    '"e\\u0301"': "e\u0301",
}
NO_IDS = ["5551.5", "1e400", HUGE[:350], '"a\\u0000b"', '"a\\ud800"', f"{LONG_ID}.5"]
BESIDE = {
    "alone": "",
    "beside a huge number": HUGE,
    "beside a NaN": "NaN",
    "beside a zero": '"\\u0000"',
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE.keys())
def test_an_id_keeps_every_digit_whatever_stands_beside_it(
    client: TestClient, broker: Broker, beside: str
) -> None:
    events = [
        *(
            event_json(f"native-{at}", lead=f'{{"user_id": {id}, "anonymous_id": {id}}}')
            for at, id in enumerate(IDS)
        ),
        *([event_json("beside", properties=f'{{"x": 0, "y": {beside}}}')] if beside else []),
    ]
    client.post("/v1/events", content=body(*events))
    calls = [
        f'{{"type": "alias", "messageId": {id}, "userId": {id}, "anonymousId": {id}, "previousId": {id}}}'
        for id in IDS
    ]
    unrelated_call = f', {{"type": "track", "event": "x", "userId": "u", "properties": {{"x": 0, "y": {beside}}}}}'
    client.post(
        "/v1/batch", content=f'{{"batch": [{", ".join(calls)}{unrelated_call if beside else ""}]}}'
    )

    read_events = [it for it in broker.events if "x" not in it.properties]
    kept = [Identity(user_id=it, anonymous_id=it) for it in IDS.values()]
    assert [it.identity for it in read_events[: len(IDS)]] == kept
    distinct = list(dict.fromkeys(IDS.values()))
    assert [it.id for it in read_events[len(IDS) :]] == distinct
    assert [(it.identity, it.previous) for it in read_events[len(IDS) :]] == [
        (Identity(user_id=it, anonymous_id=it),) * 2 for it in distinct
    ]


@pytest.mark.parametrize("id", NO_IDS, ids=lambda it: it[:12])
@pytest.mark.parametrize("name", ["id", "lead.user_id", "lead.anonymous_id", "lead.phone"])
def test_an_id_of_which_something_is_lost_is_refused_by_name(
    client: TestClient, broker: Broker, name: str, id: str
) -> None:
    field = name.rpartition(".")[2]
    bad = event_json("2", id=id) if field == name else event_json("2", lead=f'{{"{field}": {id}}}')

    results = client.post("/v1/events", content=body(event_json("1"), bad, event_json("3"))).json()[
        "results"
    ]

    assert [it.id for it in broker.events] == ["1", "3"]
    [refused] = [it for it in results.values() if it["status"] != "ok"]
    assert refused["code"] == "invalid_event"
    assert refused["message"].startswith(f"{name}: should be text")


@pytest.mark.parametrize("id", NO_IDS, ids=lambda it: it[:12])
@pytest.mark.parametrize("name", ["messageId", "userId", "anonymousId", "previousId", "groupId"])
def test_segment_ids_are_refused_by_name_too(
    client: TestClient, broker: Broker, ops: dict[str, str], name: str, id: str
) -> None:
    call = {"previousId": "alias", "groupId": "group"}.get(name, "identify")
    bad = f'{{"type": "{call}", "email": "x", "{name}": {id}}}'
    good = '{"type": "identify", "userId": "u", "messageId": "m"}'

    assert client.post("/v1/batch", content=f'{{"batch": [{bad}, {good}]}}').is_success

    assert broker.event.id == "m"
    [kept] = client.get("/v1/rejections", headers=ops).json()["items"]
    assert kept["reason"].startswith(f"{name}: should be text")


def test_odd_keys_are_keys(client: TestClient, broker: Broker) -> None:
    long = "k" * 20_000
    odd = (
        f'{{"": 1, "\\u0000": 2, "\\ud800": 3, "{long}": 4, "twice": 5, "twice": 6, " a.b$c ": 7}}'
    )

    for name in ("traits", "properties", "context"):
        client.post("/v1/events", content=event_json(name, **{name: odd}))

    kept = {"": 1, "\ufffd": 3, long: 4, "twice": 6, " a.b$c ": 7}
    assert [broker.events[0].traits, broker.events[1].properties, broker.events[2].context] == [
        kept
    ] * 3


def test_what_a_url_hides_is_text_that_can_be_stored(client: TestClient, broker: Broker) -> None:
    url = "https://acme.example/?utm_campaign=a%00b&utm_source=%ed%a0%80&utm_term=%ff"
    client.post("/v1/events", json=event(properties={"url": url}))

    assert b"\\u0000" not in broker.records[0].value
    assert broker.event.context["campaign"]["name"] == "a\ufffdb"


def test_what_a_batch_says_of_all_its_events_is_held_to_the_same(
    client: TestClient, broker: Broker
) -> None:
    batch: dict[str, Any] = {"batch": [{"type": "identify", "userId": "u", "messageId": "m"}]}
    shared = f'{{"n": {HUGE}}}'
    text = (
        orjson.dumps({**batch, "context": 0}).decode().replace('"context":0', f'"context":{shared}')
    )
    assert client.post("/v1/batch", content=text).is_success
    assert broker.event.context == {"n": HUGE}
    assert broker.event.marks == ("number_as_text",)

    deep: Any = 1
    for _ in range(101):
        deep = [deep]
    refused = client.post("/v1/batch", json={**batch, "context": {"deep": deep}})
    assert (refused.status_code, refused.json()["code"]) == (422, "event_too_deep")
    refused = client.post("/v1/batch", json={**batch, "context": {"large": "x" * 8_000}})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_event")
    assert "send at most 8000" in refused.json()["message"]
    assert client.post("/v1/batch", json={**batch, "context": 7}).is_success
    assert len(broker.records) == 1


@pytest.mark.parametrize("levels", [300, 999, 1_020])
def test_depth_that_only_the_quick_parser_reads_harms_nobody(
    client: TestClient, levels: int
) -> None:
    deep = "[" * levels + "]" * levels
    bad = event_json("2", properties=f'{{"n": {HUGE[:300]}, "in": {deep}}}')

    results = client.post("/v1/events", content=body(event_json("1"), bad)).json()["results"]

    assert (results["1"]["status"], results["2"]["code"]) == ("ok", "event_too_deep")
    assert client.post("/v1/track", content=f'{{"type": {deep}, "userId": "u"}}').status_code < 500
