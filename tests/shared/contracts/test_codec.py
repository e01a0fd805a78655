"""msgspec and pydantic read the same payload, and errors name a field and show no value."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts.codec import Codec, encode
from shared.contracts.payloads import (
    EventKind,
    Identity,
    LeadContext,
    LeadQualified,
    MarketingEvent,
    Qualified,
    Reason,
    Scores,
    Touch,
)
from shared.contracts.topics import LEADS_QUALIFIED, MARKETING_EVENTS
from shared.values import loads_exactly, normal_json
from tests.builders import NOON, lead_qualified, marketing_event, minutes

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
facts = st.dictionaries(texts, values, max_size=4)
identities = st.builds(
    Identity, **dict.fromkeys(("email", "phone", "user_id", "anonymous_id"), st.none() | texts)
)
events = st.builds(
    MarketingEvent,
    source=texts,
    id=texts,
    type=texts,
    kind=st.sampled_from(EventKind),
    time=st.integers(-(10**9), 10**9).map(lambda it: NOON + minutes(it / 1e6)),
    received_at=st.just(NOON),
    identity=identities,
    previous=st.none() | identities,
    traits=facts,
    properties=facts,
    context=facts,
    marks=st.lists(texts, max_size=2).map(tuple),
)
points = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(float)
campaigns = st.dictionaries(texts, texts, max_size=3)
touches = st.builds(
    Touch,
    id=texts,
    type=texts,
    time=st.just(NOON),
    title=st.none() | texts,
    url=st.none() | texts,
    properties=facts,
)
contexts = st.builds(
    LeadContext,
    **dict.fromkeys(("email", "phone", "name", "company", "account"), st.none() | texts),
    traits=facts,
    why_now=st.none() | touches,
    reasons=st.lists(st.builds(Reason, rule=texts, label=texts, points=points), max_size=2).map(
        tuple
    ),
    recent=st.lists(touches, max_size=2).map(tuple),
    first_campaign=campaigns,
    last_campaign=campaigns,
    sources=st.lists(texts, max_size=2).map(tuple),
)
leads = st.builds(
    LeadQualified,
    lead_id=st.uuids(),
    qualification=st.integers(1, 2**40),
    change=st.sampled_from(Qualified),
    at=st.just(NOON),
    tier=texts,
    cause=texts,
    scores=st.builds(
        Scores, fit=points, engagement=points, likelihood=st.none() | points, grade=texts
    ),
    agreement_version=st.integers(-(2**40), 2**40),
    context=contexts,
)
BY_PYDANTIC = {
    MarketingEvent: TypeAdapter[Any](MarketingEvent),
    LeadQualified: TypeAdapter[Any](LeadQualified),
}
CODECS: dict[type, Codec[Any]] = {
    MarketingEvent: MARKETING_EVENTS.codec,
    LeadQualified: LEADS_QUALIFIED.codec,
}


@given(events | leads)
def test_msgspec_and_pydantic_read_the_same(payload: MarketingEvent | LeadQualified) -> None:
    json = normal_json(encode(payload))
    codec = CODECS[type(payload)]

    decoded = codec.decode(json)

    assert decoded == BY_PYDANTIC[type(payload)].validate_json(json)
    assert decoded == codec.convert(orjson.loads(json))
    assert decoded == codec.decode(encode(decoded))
    dumped = BY_PYDANTIC[type(payload)].dump_json(decoded, exclude_none=True)
    assert orjson.loads(dumped) == orjson.loads(encode(decoded))


@given(events)
def test_every_event_is_read_with_values_that_can_be_stored(event: MarketingEvent) -> None:
    decoded = MARKETING_EVENTS.codec.decode(encode(event))

    expected = BY_PYDANTIC[MarketingEvent].validate_json(normal_json(encode(event)))
    for name in ("traits", "properties", "context"):
        assert loads_exactly(json.dumps(getattr(decoded, name))) == getattr(expected, name)


@pytest.mark.parametrize(
    "change",
    [
        {"time": 1_800_000_000},
        {"time": "2026-11-18T12:00Z"},
        {"traits": {"n": float("inf")}},
        {"traits": {"n": 2**70}},
        {"traits": {"text": "\ud83d"}},
        {"traits": {"text": "a\0b"}},
        {"traits": {"deep": [[[[[[[[["bottom"]]]]]]]]]}},
    ],
    ids=["seconds", "no seconds", "endless", "huge", "half a character", "U+0000", "deep"],
)
def test_an_event_that_msgspec_refuses_is_read_by_pydantic(change: dict[str, Any]) -> None:
    json = _event(change)

    event, storable = MARKETING_EVENTS.codec.decode_storable(json)

    assert event == BY_PYDANTIC[MarketingEvent].validate_json(normal_json(json))
    assert storable == normal_json(json)


@pytest.mark.parametrize(
    "change",
    [
        {"at": 1_800_000_000},
        {"qualification": "7"},
        {"lead_id": "urn:uuid:0190f2ab-5c4d-7e8f-9a0b-1c2d3e4f5061"},
        {"news": [1]},
    ],
    ids=["seconds", "number as text", "urn", "unknown field"],
)
def test_a_lead_is_read_as_pydantic_reads_it(change: dict[str, Any]) -> None:
    json = _lead(change)

    by_pydantic = BY_PYDANTIC[LeadQualified].validate_json(json)

    assert LEADS_QUALIFIED.codec.decode(json) == by_pydantic
    assert LEADS_QUALIFIED.codec.convert(orjson.loads(json)) == by_pydantic


def test_the_json_stays_the_same_object_where_every_value_can_be_stored() -> None:
    json = encode(marketing_event(traits={"n": 7, "text": "é"}))

    assert MARKETING_EVENTS.codec.decode_storable(json)[1] is json


@pytest.mark.parametrize(
    ("json", "reason"),
    [
        (b"", "Invalid JSON"),
        (b"{not json", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b'{"source": 7}', "source"),
        (b'{"source": "\xff"}', "invalid unicode"),
        (b'{"traits": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "recursion limit"),
    ],
    ids=["empty", "no JSON", "list", "wrong type", "no UTF-8", "deep"],
)
def test_json_that_is_no_payload_is_refused(json: bytes, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        MARKETING_EVENTS.codec.decode(json)


@pytest.mark.parametrize("time", ["2026-11-18T12:00:00", "yesterday", None])
def test_a_time_is_an_instant(time: str | None) -> None:
    with pytest.raises(ValidationError, match="time"):
        MARKETING_EVENTS.codec.decode(_event({"time": time}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"qualification": 0}, "qualification"),
        ({"qualification": 1.5}, "qualification"),
        ({"change": "perhaps"}, "change"),
        ({"at": "2026-11-18T12:00:00"}, "at"),
        ({"lead_id": "ada"}, "lead_id"),
        ({"scores": {"fit": "much"}}, "scores.fit"),
        ({"context": {"recent": [{"id": 1}]}}, "context.recent.0.id"),
        ({"context": {"first_campaign": {"name": 1}}}, "context.first_campaign.name"),
        ({"context": {"sources": [None]}}, "context.sources.0"),
        ({"agreement_version": None}, "agreement_version"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        LEADS_QUALIFIED.codec.decode(_lead(change))

    [first, *_] = refused.value.errors()
    assert ".".join(map(str, first["loc"])) == field


def _event(change: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(encode(marketing_event())), **change}).encode()


def _lead(change: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(encode(lead_qualified())), **change}).encode()
