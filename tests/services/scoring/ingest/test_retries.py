"""A refused event is taken in again as its source sent it, once it can be read."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from services.scoring.ingest.formats.catalogue import CALLS, FORMATS, segment_format
from shared.contracts.payloads import MarketingEvent
from shared.db.session import Sessions
from tests.damage import refuse_writes
from tests.services.scoring.ingest.conftest import Broker

pytestmark = pytest.mark.postgres

GOOD = {"id": "e-1", "type": "page_viewed", "lead": {"email": "ada@example.com"}}


class RejectionClient:
    """Lists and retries rejections as ops."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    def all(self) -> list[dict[str, Any]]:
        """All rejections."""
        answer = self._client.get("/v1/rejections", headers=self._headers)
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def retry(self, rejection: dict[str, Any]) -> Response:
        """Retry this rejection."""
        path = f"/v1/rejections/{rejection['id']}/retry"
        return self._client.post(path, headers=self._headers)


@pytest.fixture
def refused(client: TestClient, ops: dict[str, str]) -> RejectionClient:
    """The rejections, as ops see them."""
    return RejectionClient(client, ops)


def mend(sessions: Sessions, bad: str, good: str) -> None:
    """Change the stored bytes to what a later version would accept, as there is no such version here."""
    statement = (
        "update scoring.rejected_bodies set bytes = convert_to("
        "replace(convert_from(bytes, 'UTF8'), :bad, :good), 'UTF8')"
    )
    with sessions.begin() as session:
        session.execute(text(statement), {"bad": bad, "good": good})


def test_an_event_that_is_readable_now_is_published_and_leaves_the_list(
    sessions: Sessions,
    client: TestClient,
    broker: Broker,
    refused: RejectionClient,
) -> None:
    client.post("/v1/events", json=[{**GOOD, "type": "bad type"}])
    [rejection] = refused.all()
    assert (rejection["format"], rejection["retriable"]) == ("native", True)
    mend(sessions, "bad type", "good_one")

    answer = refused.retry(rejection)

    assert (answer.status_code, answer.json()) == (
        200,
        {"results": {"e-1": {"status": "ok"}}},
    )
    assert (broker.event.source, broker.event.id, broker.event.type) == ("site", "e-1", "good_one")
    assert refused.all() == []
    assert refused.retry(rejection).json()["code"] == "unknown_rejection"


def test_an_event_that_is_refused_again_stays_as_it_was(
    client: TestClient, broker: Broker, refused: RejectionClient
) -> None:
    client.post("/v1/events", json=[{**GOOD, "lead": {}}])
    [rejection] = refused.all()

    result = refused.retry(rejection).json()["results"]["e-1"]

    assert (result["status"], result["code"]) == ("rejected", "no_identity")
    assert broker.records == []
    assert refused.all() == [rejection]


def test_a_body_that_cannot_be_read_as_a_whole_says_so_again(
    client: TestClient, refused: RejectionClient
) -> None:
    client.post("/v1/events", content=b"{")
    [rejection] = refused.all()

    answer = refused.retry(rejection)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert refused.all() == [rejection]


TRACK = {"type": "track", "userId": "u1", "messageId": "m-1", "timestamp": "2026-11-22T10:15:00Z"}


@pytest.mark.parametrize(
    "sent",
    [
        ("track", {**TRACK, "event": 7}, "segment/track"),
        ("t", {**TRACK, "event": 7}, "segment/track"),
        ("batch", {"batch": [{**TRACK, "event": 7}]}, "segment/batch"),
        ("batch", {"batch": 7, "later": [{**TRACK, "event": 7}]}, "segment/batch"),
    ],
    ids=["a call", "its short path", "a part of a batch", "a whole batch"],
)
def test_an_event_is_read_in_the_format_in_which_it_came(
    sessions: Sessions,
    client: TestClient,
    broker: Broker,
    refused: RejectionClient,
    sent: tuple[str, dict[str, Any], str],
) -> None:
    path, body, format_name = sent
    client.post(f"/v1/{path}", json=body)
    [rejection] = refused.all()
    assert rejection["format"] == format_name
    mend(sessions, '"batch":7,"later":', '"later":7,"batch":')
    mend(sessions, '"event":7', '"event":"x"')
    with sessions.begin() as session:  # the mended text is longer
        session.execute(text("update scoring.rejections set size = size + 2"))

    assert refused.retry(rejection).json()["results"]["m-1"]["status"] == "ok"

    event: MarketingEvent = broker.event
    assert (event.type, event.identity.user_id) == ("x", "u1")
    assert refused.all() == []


def test_an_event_of_which_only_a_part_is_kept_cannot_be_retried(
    client: TestClient, refused: RejectionClient
) -> None:
    client.post("/v1/events", json=[{**GOOD, "properties": {"text": "x" * 40_000}}])
    [rejection] = refused.all()
    assert not rejection["retriable"]

    answer = refused.retry(rejection)

    assert (answer.status_code, answer.json()["code"]) == (409, "incomplete_rejection")


def test_while_nothing_takes_events_the_rejection_stays(
    sessions: Sessions,
    client: TestClient,
    broker: Broker,
    refused: RejectionClient,
) -> None:
    client.post("/v1/events", json=[{**GOOD, "type": "bad type"}])
    [rejection] = refused.all()
    mend(sessions, "bad type", "good_one")
    refuse_writes(sessions, "messaging.outbox", sqlstate="53100")  # the disk is full
    broker.refusals = 1

    answer = refused.retry(rejection)

    assert (answer.status_code, answer.json()["code"]) == (503, "nowhere_to_put")
    assert [it["id"] for it in refused.all()] == [rejection["id"]]


def test_only_ops_retry(client: TestClient) -> None:
    answer = client.post("/v1/rejections/1/retry")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")


def test_every_call_has_a_format_of_its_own() -> None:
    assert {it.name for it in map(segment_format, CALLS)} | {"native"} == FORMATS.keys()
