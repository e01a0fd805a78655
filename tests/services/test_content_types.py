"""Bodies of every Content-Type over real HTTP: the type counts only where the body is no JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, product

import httpx
import pytest

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.problems import PROBLEM_TYPE
from tests.builders import NOON
from tests.engine import PATIENCE_S
from tests.services.apis import apis_on
from tests.serving import serving

pytestmark = pytest.mark.postgres

NOBODY = "00000000-0000-0000-0000-000000000000"

TOLERATED = [
    None,
    "",
    "; charset=utf-8",
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/json, application/json",
    "application/vnd.api+json",
    "application/ld+json",
    "text/json",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
]
UNKNOWN = [
    "multipart/form-data; boundary=x",
    "image/png",
    "text/xml",
    "application/xml; charset=utf-8",
    "application/soap+xml",
    "text/html",
    "text/csv",
    "application/x-ndjson",
    "application/msgpack",
    "application/gzip",
    "application/jsonp",
    "*/*",
    "nonsense",
    "/",
    "caf\xe9",
    "x/" + "y" * 5_000,
]
CLOUDEVENTS = [
    "application/cloudevents+json",
    "Application/CloudEvents-Batch+JSON; charset=utf-8",
    "application/cloudevents",
]
NO_JSON = [
    b"<event/>",
    b"a=1&b=2",
    b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
    b"\x89PNG\r\n\x1a\n",
    b"\x1f\x8b\x08",
    b"\xff\xfe\xfa",
    b"{'id': '1'}",
    b"{",
    b'{"id": 1}\n{"id": 2}\n',
    b"[1, 2",
    b"   {broken}",
    b'"half',
    b"hello",
]


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Posting]:
    """Posts to scoring and routing, as who may."""
    with sessions.begin() as session:
        keys = {
            scope: create_key(session, scope=scope, subject="grace", now=NOON)
            for scope in (KeyScope.INGEST, KeyScope.OPS)
        }
    apis = apis_on(sessions)
    with (
        serving(apis["scoring"]) as scoring,
        serving(apis["routing"]) as routing,
        httpx.Client(timeout=PATIENCE_S) as client,
    ):
        yield Posting(
            client,
            {
                f"{scoring}/v1/events": (keys[KeyScope.INGEST], 200),
                f"{scoring}/v1/track": (keys[KeyScope.INGEST], 200),
                f"{routing}/v1/handoffs/{NOBODY}/accept": (keys[KeyScope.OPS], 404),
                f"{routing}/v1/handoffs/{NOBODY}/reassign": (keys[KeyScope.OPS], 404),
            },
        )


class Posting:
    """A client, and for each URL the key and the statuses of a body that is understood."""

    def __init__(self, client: httpx.Client, understood: dict[str, tuple[str, int]]) -> None:
        self.client = client
        self.understood = understood

    def __call__(self, url: str, content_type: str | None, body: bytes) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.understood[url][0]}"}
        if content_type is not None:
            headers["content-type"] = content_type
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        return self.client.post(url, headers=raw, content=body)

    def refused(self, url: str, content_type: str | None, body: bytes) -> tuple[int, str]:
        """The status and the code of a problem."""
        answer = self(url, content_type, body)
        assert answer.headers["content-type"] == PROBLEM_TYPE, (content_type, body)
        return answer.status_code, answer.json()["code"]


def fitting(url: str) -> bytes:
    """A body that is understood at this URL."""
    if url.endswith("/v1/events"):
        return b'{"id": "1", "type": "demo_requested", "lead": {"email": "ada@example.com"}}'
    if url.endswith("/v1/track"):
        return b'{"event": "x", "userId": "u-1"}'
    return (
        b'\n  {"hop": 1}\n'
        if url.endswith("/reassign")
        else b'{"occurred_at": "2026-12-01T11:00:00Z"}'
    )


def test_json_is_read_whatever_the_content_type_says(post: Posting) -> None:
    for content_type in (*TOLERATED, *UNKNOWN):
        for url, (_, status) in post.understood.items():
            answer = post(url, content_type, fitting(url))
            assert answer.status_code == status, (url, content_type, answer.text)
            assert answer.json().get("code", "unknown_handoff") == "unknown_handoff"


def test_a_body_that_is_no_json_is_malformed_where_the_content_type_promises_json(
    post: Posting,
) -> None:
    for url, (content_type, body) in zip(cycle(post.understood), product(TOLERATED, NO_JSON)):
        refused = post.refused(url, content_type, body)
        assert refused == (400, "malformed_body"), (url, content_type, body)


def test_a_body_that_is_no_json_of_any_other_type_is_of_an_unsupported_type(post: Posting) -> None:
    for url, (content_type, body) in zip(cycle(post.understood), product(UNKNOWN, NO_JSON)):
        refused = post.refused(url, content_type, body)
        assert refused == (415, "unsupported_type"), (url, content_type, body)


def test_cloudevents_are_refused_whatever_the_body(post: Posting) -> None:
    """Their JSON would be read as something that it is not."""
    for url in post.understood:
        for content_type in CLOUDEVENTS:
            for body in (fitting(url), NO_JSON[0]):
                assert post.refused(url, content_type, body) == (415, "unsupported_type")


def test_the_refusal_says_what_came_and_what_is_understood(post: Posting) -> None:
    for url in post.understood:
        message = post(url, "text/xml; charset=utf-8", b"<event/>").json()["message"]
        assert "text/xml; charset=utf-8 is not understood" in message
        assert "application/json" in message
        assert "text/plain" in message
        assert len(post(url, "x/" + "y" * 5_000, b"<event/>").content) < 1_000


def test_json_that_is_no_object_is_answered_whatever_the_content_type_says(post: Posting) -> None:
    for url in post.understood:
        for body in (b"5", b'"text"', b"true", b"[1]"):
            types = ("application/json", "text/plain", "image/png", None)
            [status] = {post(url, content_type, body).status_code for content_type in types}
            assert status in (200, 422), (url, body)


def test_a_bad_key_is_reported_before_the_content_type(post: Posting) -> None:
    for url in post.understood:
        for content_type in ("image/png", CLOUDEVENTS[0]):
            headers = {"content-type": content_type, "authorization": "Bearer lb_ops_0_0"}
            answer = post.client.post(url, headers=headers, content=b"x")
            assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")


def test_a_body_of_a_stranger_that_is_no_json_is_of_an_unsupported_type_too(post: Posting) -> None:
    [url] = [it for it in post.understood if it.endswith("/v1/track")]
    answer = post.client.post(url, headers={"content-type": "image/png"}, content=b"\x89PNG")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")


def test_a_body_refused_for_the_content_type_is_kept_with_the_reason(post: Posting) -> None:
    [url] = [it for it in post.understood if it.endswith("/v1/events")]
    post(url, "image/png", b"\x89PNG")
    key = next(key for at, (key, _) in post.understood.items() if at.endswith("/accept"))

    listed = post.client.get(
        url.replace("/events", "/rejections"), headers={"authorization": f"Bearer {key}"}
    )
    [kept] = listed.json()["items"]
    assert (kept["code"], kept["source"], kept["size"]) == ("unsupported_type", "grace", 4)
    assert "image/png" in kept["reason"]
