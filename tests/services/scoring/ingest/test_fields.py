"""Who, when, what, and JSON as it comes: pure functions, and what hypothesis thinks of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.ingest.body import event_bytes, parse_body
from services.scoring.ingest.errors import InvalidEvent, RateLimited
from services.scoring.ingest.formats.segment import segment_event
from services.scoring.ingest.normalize.event import Arrival
from services.scoring.ingest.normalize.names import (
    is_bot,
    with_agreement_names,
    with_campaign,
    with_page,
)
from services.scoring.ingest.normalize.timestamps import (
    clamp_time,
    in_batch_order,
    parse_instant,
    without_skew,
)
from services.scoring.ingest.rate_limits import RateLimiter
from shared.agreement.event_types import snake_case
from shared.contracts.payloads import Identity
from shared.http.problems import MalformedBody

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("error", [7, "soon", "2026-13-01", [], True])
def test_what_is_no_instant_is_invalid(error: Any) -> None:
    with pytest.raises(InvalidEvent, match="sentAt"):
        parse_instant(error, name="sentAt")


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_a_time_never_lies_after_the_arrival(original: datetime, sent_at: datetime) -> None:
    try:
        time = without_skew(original, sent_at, NOON)
    except InvalidEvent:
        return
    clamped, mark = clamp_time(time, NOON)
    assert clamped <= NOON
    assert (mark is None) == (time <= NOON)
    assert (mark == "clock_ahead") == (time - NOON > timedelta(hours=24))


MICROSECONDS = st.integers(0, 3_000).map(lambda it: NOON - timedelta(microseconds=it))


@given(st.lists(MICROSECONDS | st.sampled_from([NOON, NOON - timedelta(milliseconds=2)])))
def test_the_order_of_a_batch_decides_between_equal_times(times: list[datetime]) -> None:
    shifted = in_batch_order(times, NOON)

    assert len(set(shifted)) == len(times)
    assert max(shifted, default=NOON) <= NOON
    assert all(abs(a - b) < timedelta(milliseconds=1) for a, b in zip(times, shifted, strict=True))
    order = sorted(range(len(times)), key=lambda it: (times[it], it))
    assert order == sorted(range(len(times)), key=shifted.__getitem__)


def test_no_time_moves_past_the_next_millisecond() -> None:
    early = NOON - timedelta(hours=1)

    shifted = in_batch_order([early] * 2_500 + [early + timedelta(milliseconds=1)], NOON)

    assert shifted[:3] == [early + timedelta(microseconds=it) for it in range(3)]
    assert max(shifted[:-1]) == early + timedelta(microseconds=999)
    assert shifted[-1] == early + timedelta(milliseconds=1)
    arrivals = in_batch_order([NOON] * 2_500, NOON)
    assert min(arrivals) == NOON - timedelta(microseconds=999)
    assert max(arrivals) == NOON


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Demo Requested", "demo_requested"),
        ("demoRequested", "demo_requested"),
        ("page_viewed", "page_viewed"),
        ("Order.Completed!", "order.completed"),
        ("Запрос демо", "запрос_демо"),
        ("!!", ""),
    ],
)
def test_names_are_as_the_agreement_writes_them(value: str, name: str) -> None:
    assert snake_case(value) == name


def test_a_trait_that_has_its_name_wins() -> None:
    assert with_agreement_names({"job_title": "CTO", "jobTitle": "x", "!": 1}) == {
        "job_title": "CTO",
        "!": 1,
    }


@pytest.mark.parametrize(
    ("properties", "context", "placed_at"),
    [
        ({}, {}, {}),
        ({}, {"page": "text"}, {}),
        ({"path": "/a"}, {"page": {"path": "/b", "url": None}}, {"path": "/a"}),
        ({"url": "https://x.example"}, {}, {"url": "https://x.example", "path": "/"}),
        ({"url": "http://[x"}, {}, {"url": "http://[x", "path": "/"}),
        ({"url": 7}, {}, {"url": 7}),
    ],
)
def test_the_page_is_told_in_the_properties(properties: Any, context: Any, placed_at: Any) -> None:
    assert with_page(properties, context) == placed_at


@pytest.mark.parametrize(
    ("context", "url", "campaign"),
    [
        ({}, "https://x.example/?utm_source=a&utm_source=b", {"source": "b"}),
        ({"campaign": None}, "https://x.example/?utm_id=1", {"id": "1"}),
        ({"campaign": {"name": "n"}}, None, {"name": "n"}),
        ({"campaign": {"name": " a\u00a0 b\n", "id": 7}}, None, {"name": "a b", "id": 7}),
        (
            {},
            "https://x.example/?utm_campaign=autumn%0A&utm_source=%20a+",
            {"name": "autumn", "source": "a"},
        ),
        ({"campaign": {}}, None, {}),
        ({"campaign": "n"}, "https://x.example/?utm_source=a", "n"),
        ({}, "https://x.example/?utm_other=a", None),
        (
            {},
            "https://x.example/?a=1&amp;utm_source=b&amp;amp;utm_medium=c",
            {"source": "b", "medium": "c"},
        ),
        ({"page": {"search": "?utm_source=a"}}, "https://x.example/", {"source": "a"}),
        (
            {"page": {"search": "utm_source=a&utm_id=1"}},
            "/?utm_source=b",
            {"source": "b", "id": "1"},
        ),
        ({"page": {"search": 7}}, None, None),
        ({"page": "utm_source=a"}, None, None),
    ],
)
def test_the_campaign_is_what_is_said_and_what_the_url_says(
    context: Any, url: Any, campaign: Any
) -> None:
    assert with_campaign(context, {"url": url}).get("campaign") == campaign


@pytest.mark.parametrize(
    ("agent", "bot"),
    [
        ("Mozilla/5.0 (compatible; bingbot/2.0)", True),
        ("Mozilla/5.0 HeadlessChrome/120", True),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/120 Mobile", False),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120", False),
        (None, False),
        (7, False),
    ],
)
def test_a_bot_says_so_itself(agent: Any, *, bot: bool) -> None:
    assert is_bot({"userAgent": agent}) is bot


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


@given(items=st.lists(JSON), indent=st.integers(0, 3), wrapped=st.booleans())
def test_pieces_are_the_bytes_of_each_event(
    items: list[Any], indent: int, *, wrapped: bool
) -> None:
    document = {"events": items, "x": [1], "writeKey": "k"} if wrapped else items
    body = json.dumps(document, indent=indent, ensure_ascii=bool(indent)).encode(
        "utf-8", "surrogatepass"
    )
    pieces = event_bytes(body, ("events",) if wrapped else ())
    assert [json.loads(it) for it in pieces] == items
    assert all(it in body for it in pieces)


def test_the_list_that_json_means_is_the_last() -> None:
    assert event_bytes(b'{"events": [1], "events": [2, 3], "e": {}}', ("events",)) == [b"2", b"3"]
    assert event_bytes(b' {"events": {}} ', ("events",)) == [b' {"events": {}} ']


@given(st.binary())
def test_whatever_comes_is_json_or_malformed(body: bytes) -> None:
    try:
        parsed = parse_body(body)
    except MalformedBody:
        return
    orjson.dumps(parsed)


def test_a_bucket_fills_again() -> None:
    now = 0.0
    buckets = RateLimiter(rate=10, burst=20, seconds=lambda: now)
    assert buckets.take_some("k", 15) == 15
    assert buckets.take_some("k", 15) == 5
    with pytest.raises(RateLimited):
        buckets.take_some("k", 1)
    assert buckets.take_some("k", 0) == 0
    assert buckets.take_all("other", 20) == 20
    now = 1.0
    assert buckets.take_some("k", 15) == 10


def test_more_than_a_bucket_holds_comes_in_once_it_is_full() -> None:
    now = 0.0
    buckets = RateLimiter(rate=10, burst=20, seconds=lambda: now)
    assert buckets.take_all("k", 50) == 50
    with pytest.raises(RateLimited) as refused:
        buckets.take_all("k", 50)
    assert refused.value.seconds == 5
    now = 5.0
    assert buckets.take_all("k", 50) == 50


def test_traits_of_the_context_of_a_group_are_the_persons_and_its_own_are_the_companys() -> None:
    context = {"traits": {"email": "ada@acme.example", "firstName": "Ada", "employees": 1}}
    company = {"name": "Acme", "employees": 50, "email": "info@acme.example"}
    item = {"type": "group", "groupId": "g", "traits": company, "context": context}

    event = segment_event(item, Arrival("site", NOON), {}).event

    assert event.identity == Identity(email="ada@acme.example")
    person = {"email": "ada@acme.example", "first_name": "Ada"}
    assert event.traits == {**person, "company": "Acme", "employees": 50, "account": "g"}
