"""Records of every payload version can be decoded, from example files that never change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Record, Topic, UndecodableRecord, UnknownVersion
from shared.contracts.topics import HANDOFFS_CHANGED, MARKETING_EVENTS, TOPICS
from tests.builders import NOON, handoff_changed, marketing_event, message, outgoing, record

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*/v*/*.json"))
BY_NAME = {topic.name: topic for topic in TOPICS}


def read(path: Path) -> tuple[Topic[Any], Record, Any]:
    """The topic of an example file, its record, and the parsed file."""
    topic = BY_NAME[path.parent.parent.name]
    example = json.loads(path.read_text())
    headers = tuple((name, value.encode()) for name, value in example["headers"].items())
    value = json.dumps(example["value"]).encode()
    return topic, Record(topic.name, 0, 0, example["key"].encode(), value, headers), example


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_an_example_decodes_and_is_the_same_when_encoded_again(path: Path) -> None:
    topic, stored, example = read(path)

    decoded = topic.decode(stored)

    again = topic.encode(decoded.payload, id=decoded.id, source=decoded.source, at=decoded.time)
    assert json.loads(again.value).items() >= example["value"].items()
    assert again.key == stored.key
    assert decoded.traceparent == example["headers"].get("traceparent")


def test_each_topic_has_examples_of_its_current_version() -> None:
    covered = {(path.parts[-3], path.parts[-2]) for path in EXAMPLES}

    assert covered >= {(topic.name, f"v{topic.version}") for topic in TOPICS}


def test_a_payload_comes_back_as_it_was_sent() -> None:
    sent = handoff_changed(campaign="autumn")

    assert message(HANDOFFS_CHANGED, sent).payload == sent


def test_the_traceparent_travels_with_the_record() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = MARKETING_EVENTS.encode(
        marketing_event(), id="1", source="test", at=NOON, traceparent=trace
    )

    got = MARKETING_EVENTS.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))

    assert got.traceparent == trace


def test_a_reader_ignores_fields_that_it_does_not_know() -> None:
    sent = outgoing(MARKETING_EVENTS, marketing_event(id="m-1"))
    grown = json.dumps({**json.loads(sent.value), "mood": "curious"}).encode()

    got = MARKETING_EVENTS.decode(Record(sent.topic, 0, 0, sent.key, grown, sent.headers))

    assert got.payload.id == "m-1"


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (marketing_event(email="ada@example.com", user_id="u"), "ada@example.com"),
        (marketing_event(email=None, user_id="u", anonymous_id="a"), "website/user/u"),
        (marketing_event(email=None, anonymous_id="a"), "website/anonymous/a"),
        (marketing_event(email=None, phone="+491"), "+491"),
        (marketing_event(email=None), "website"),
    ],
    ids=["email", "user-id", "anonymous-id", "phone", "nobody"],
)
def test_the_key_keeps_one_person_in_order(event: MarketingEvent, key: str) -> None:
    assert MARKETING_EVENTS.key(event) == key


def test_unknown_headers_are_ignored() -> None:
    good = record(MARKETING_EVENTS, marketing_event())
    foreign = (*good.headers, ("x-proxy", b"1"))

    got = MARKETING_EVENTS.decode(Record(good.topic, 0, 0, good.key, good.value, foreign))

    assert got == MARKETING_EVENTS.decode(good)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"ce_type": b"leadbaton.marketing.events.v9"}, UnknownVersion, "v9"),
        ({"ce_type": None}, UndecodableRecord, "ce_type"),
        ({"ce_id": None}, UndecodableRecord, "ce_id"),
        ({"ce_time": b"yesterday"}, UndecodableRecord, "ce_time"),
        ({"x-\N{REPLACEMENT CHARACTER}": b"1"}, UndecodableRecord, "no UTF-8"),
    ],
    ids=["unknown-version", "no-type", "no-id", "bad-time", "bad-name"],
)
def test_a_record_with_wrong_headers_is_refused_with_the_reason(
    change: dict[str, bytes | None], error: type[Exception], says: str
) -> None:
    good = record(MARKETING_EVENTS, marketing_event())
    headers = {**dict(good.headers), **change}
    bad = tuple((name, value) for name, value in headers.items() if value is not None)

    with pytest.raises(error, match=says):
        MARKETING_EVENTS.decode(Record(good.topic, 0, 0, good.key, good.value, bad))


@pytest.mark.parametrize(
    ("value", "says"),
    [(None, "value"), (b"{", "value"), (b"{}", "source"), (b'{"source": 7}', "source")],
    ids=["tombstone", "broken-json", "empty", "wrong-type"],
)
def test_a_record_with_a_wrong_value_names_the_field(value: bytes | None, says: str) -> None:
    good = record(MARKETING_EVENTS, marketing_event())

    with pytest.raises(UndecodableRecord, match=says):
        MARKETING_EVENTS.decode(Record(good.topic, 0, 0, good.key, value, good.headers))
