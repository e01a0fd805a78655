"""An event is the same whichever way it is read, and what one way refuses the other does not let through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.events import Event, event_of, written_event
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from shared.values import exactly, within
from tests.builders import NOON, marketing_event, minutes

FIELDS = tuple(MarketingEvent.model_fields)
WHO = tuple(Identity.model_fields)

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
told = st.dictionaries(texts, values, max_size=4)
identities = st.builds(
    Identity,
    email=st.none() | texts,
    phone=st.none() | texts,
    user_id=st.none() | texts,
    anonymous_id=st.none() | texts,
)
happenings = st.builds(
    MarketingEvent,
    source=texts,
    id=texts,
    type=texts,
    kind=st.sampled_from(EventKind),
    time=st.integers(-(10**9), 10**9).map(lambda it: NOON + minutes(it / 1e6)),
    received_at=st.just(NOON),
    identity=identities,
    previous=st.none() | identities,
    traits=told,
    properties=told,
    context=told,
    marks=st.lists(texts, max_size=2).map(tuple),
)


def said(event: Event) -> dict[str, Any]:
    """All that an event says, of whatever class it is."""
    fields: dict[str, Any] = {name: getattr(event, name) for name in FIELDS}
    for name in ("identity", "previous"):
        who = fields[name]
        fields[name] = who and {part: getattr(who, part) for part in WHO}
    return fields


@given(happenings)
def test_both_ways_of_reading_agree(event: MarketingEvent) -> None:
    written = within(event.model_dump_json(exclude_none=True))

    quick = event_of(written)

    assert said(quick) == said(MarketingEvent.model_validate_json(written))
    assert said(event_of(written_event(quick))) == said(quick)
    assert written_event(event) == event.model_dump_json(exclude_none=True)


@given(happenings)
def test_whatever_was_written_is_read_with_values_as_they_may_be(event: MarketingEvent) -> None:
    written = written_event(event)

    read = said(event_of(written))

    slow = said(MarketingEvent.model_validate_json(within(written)))
    for name in ("traits", "properties", "context"):
        read[name] = exactly(json.dumps(read[name]))
    assert read == slow


def test_an_event_is_read_the_quick_way() -> None:
    assert not isinstance(event_of(written_event(marketing_event())), MarketingEvent)


@pytest.mark.parametrize(
    "change",
    [{"time": 1_800_000_000}, {"time": "2026-11-18T12:00Z"}, {"traits": {"n": float("inf")}}],
    ids=["seconds", "no-seconds", "endless"],
)
def test_what_the_quick_way_does_not_know_goes_the_other_way(change: dict[str, Any]) -> None:
    written = _changed(change)

    assert said(event_of(written)) == said(MarketingEvent.model_validate_json(within(written)))


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"{not json",
        b"[]",
        b'{"source": 7}',
        b'{"source": "\xff"}',
        b'{"traits": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=["empty", "no-json", "list", "wrong-type", "no-utf-8", "deep"],
)
def test_what_cannot_be_read_is_refused_in_the_same_words(written: bytes) -> None:
    with pytest.raises(ValidationError) as slow:
        MarketingEvent.model_validate_json(written)
    with pytest.raises(ValidationError) as quick:
        event_of(written)

    assert str(quick.value) == str(slow.value)


@pytest.mark.parametrize("time", ["2026-11-18T12:00:00", "yesterday", None])
def test_a_time_is_an_instant(time: str | None) -> None:
    with pytest.raises(ValidationError, match="time"):
        event_of(_changed({"time": time}))


def _changed(change: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(marketing_event().model_dump_json()), **change}).encode()
