"""What was refused is kept once, counted when it is repeated, listed in bounded pages, and deleted after a while."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
import structlog
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.scoring.ingest.rejections import AgeLimit, keep
from services.scoring.queries.rejections import Body, Rejection
from shared.db.session import Sessions
from tests.damage import refuse_writes
from tests.services.scoring.ingest.conftest import NOON, Broker, api

pytestmark = pytest.mark.postgres
GZIP = {"content-encoding": "gzip"}
DAY = timedelta(days=1)


def stored(sessions: Sessions) -> dict[str, int]:
    """How much is kept: rejections, how often they came, bodies, bytes."""
    statement = text(
        "select (select count(*) from scoring.rejections) as rows,"
        " (select coalesce(sum(count), 0)::bigint from scoring.rejections) as times,"
        " count(*) as bodies, coalesce(sum(octet_length(bytes)), 0) as bytes"
        " from scoring.rejected_bodies"
    )
    with sessions() as session:
        return dict(session.execute(statement).one()._mapping)


def listed(client: TestClient, ops: dict[str, str], query: str = "") -> Iterator[dict[str, Any]]:
    """All rejections, page after page, none of them too large."""
    after = ""
    while True:
        page = client.get(f"/v1/rejections?limit=500{query}{after}", headers=ops)
        assert len(page.content) <= 1_000_100
        yield from page.json()["items"]
        if page.json()["next"] is None:
            return
        after = f"&after={page.json()['next']}"


def rejection(name: str, *, at: datetime = NOON, code: str = "bad", body: str = "") -> Rejection:
    whole = Body.of((body or name).encode(), max_bytes=100)
    return Rejection("site", name, at, code, "it is bad", "native", whole)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"], ids=["told apart", "one whole"])
def test_a_small_request_of_thousands_of_bad_events_stays_small(
    sessions: Sessions,
    client: TestClient,
    ops: dict[str, str],
    encoding: str,
) -> None:
    bad = gzip.compress(("[" + ",".join(["{}" + " " * 30] * 2_500) + "]").encode(encoding))
    for _ in range(3):  # the later ones are retries
        assert client.post("/v1/events", content=bad, headers=GZIP).status_code == 200

    kept = stored(sessions)
    assert (kept["rows"], kept["times"], kept["bodies"]) == (1, 7_500, 1)
    assert kept["bytes"] <= 32_000
    [only] = listed(client, ops)
    assert (only["count"], only["code"]) == (7_500, "invalid_event")


def test_a_body_whose_events_cannot_be_told_apart_is_kept_once_for_all_of_them(
    sessions: Sessions, client: TestClient, ops: dict[str, str]
) -> None:
    events = [{"id": str(at), "type": "no good"} for at in range(1_000)]
    body = orjson.dumps(events).decode().encode("utf-16-le")
    for _ in range(2):
        client.post("/v1/events", content=gzip.compress(body), headers=GZIP)

    kept = stored(sessions)
    assert (kept["rows"], kept["times"], kept["bodies"]) == (1_000, 2_000, 1)
    assert kept["bytes"] <= 32_000
    rejections = list(listed(client, ops))
    assert {it["event_id"] for it in rejections} == {str(at) for at in range(1_000)}
    assert len(rejections) == 1_000
    assert {(it["size"], it["base64"]) for it in rejections} == {
        (len(body), base64.b64encode(body[:32_000]).decode())
    }


def test_a_body_that_no_parser_reads_is_one_row_however_often_it_is_sent(
    sessions: Sessions, client: TestClient, ops: dict[str, str]
) -> None:
    for _ in range(3):
        response = client.post("/v1/events", content=b'{"id": ' + b"x" * 900_000)
        assert response.status_code == 400

    assert stored(sessions) == {"rows": 1, "times": 3, "bodies": 1, "bytes": 32_000}
    [only] = listed(client, ops)
    assert (only["count"], only["size"], len(only["text"])) == (3, 900_007, 32_000)


def test_what_differs_in_its_bytes_its_reason_or_its_source_is_another_rejection(
    client: TestClient, ops: dict[str, str]
) -> None:
    for body in (b'{"id": "1"}', b'{"id":  "1"}', b'{"id": "1", "type": "x"}', b'{"id": "1"}'):
        client.post("/v1/events", content=body)
    client.post("/v1/t", content=b'{"id": "1"}')

    assert sorted(it["count"] for it in listed(client, ops)) == [1, 1, 1, 2]


def test_rejections_hold_the_exact_bytes_and_come_in_pages(
    sessions: Sessions, broker: Broker, key: str, ops: dict[str, str]
) -> None:
    now = NOON
    client = TestClient(
        api(sessions, broker, time_source=lambda: now), headers={"x-write-key": key}
    )
    odd = b'{ "id":"\\u00e9",  "type" : "x y" }'
    client.post("/v1/events", content=b'{"x": [1], "events" : [ ' + odd + b" ,7, [] ]}")
    now += timedelta(seconds=1)
    client.post("/v1/events", content=odd)

    first = client.get("/v1/rejections?limit=1", headers=ops).json()
    rest = client.get(f"/v1/rejections?after={first['next']}", headers=ops).json()

    raw = [base64.b64decode(it["base64"]) for it in first["items"] + rest["items"]]
    assert (raw[0], set(raw[1:])) == (odd, {b"[]", b"7"})
    assert rest["next"] is None
    [latest] = first["items"]
    assert (latest["event_id"], latest["count"]) == ("é", 2)
    assert datetime.fromisoformat(latest["received_at"]) == NOON
    assert datetime.fromisoformat(latest["last_received_at"]) == now
    assert list(listed(client, ops, "&code=other")) == []
    assert len(list(listed(client, ops, "&source=site"))) == 3
    assert client.get("/v1/rejections", headers={"x-write-key": key}).status_code == 403


@pytest.mark.parametrize("position", [["x"], [1], ["2026-12-01T12:00:00", 1], [NOON, 2**63]])
def test_a_position_that_is_none_is_refused(
    client: TestClient, ops: dict[str, str], position: list[object]
) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")
    response = client.get(f"/v1/rejections?after={cursor}", headers=ops)
    assert (response.status_code, response.json()["code"]) == (400, "bad_cursor")


def test_pages_are_bounded_in_bytes_and_none_is_left_out(
    client: TestClient, ops: dict[str, str]
) -> None:
    sizes = [900_000, 8, *range(1_000, 41_000, 1_000)]
    for size in sizes:  # control characters, which JSON writes larger
        client.post("/v1/events", content=b"[" * 4 + b"\x01" * (size - 4))

    assert sorted(it["size"] for it in listed(client, ops)) == sorted(sizes)


def test_rows_of_older_versions_are_listed_with_their_own_bytes(
    sessions: Sessions, client: TestClient, ops: dict[str, str]
) -> None:
    with sessions.begin() as session:
        session.execute(
            text(
                "insert into scoring.rejections (source, received_at, code, reason, size, bytes)"
                " values ('site', :at, 'bad', 'it is', 3, 'old'), ('site', :at, 'bad', 'it is', 3, 'old')"
            ),
            {"at": NOON},
        )

    assert [(it["text"], it["count"]) for it in listed(client, ops)] == [("old", 1)] * 2


def test_what_did_not_come_again_for_too_long_is_deleted_with_its_bytes(
    sessions: Sessions, client: TestClient, ops: dict[str, str]
) -> None:
    keep(sessions, [rejection(f"{at}", at=NOON - 31 * DAY) for at in range(1_200)])
    keep(sessions, [rejection("again", at=NOON - 31 * DAY)])
    keep(sessions, [rejection("again", at=NOON - 29 * DAY)])
    keep(sessions, [rejection("a", body="both", at=NOON - 31 * DAY)])
    keep(sessions, [rejection("b", body="both", at=NOON - 29 * DAY)])
    limit = AgeLimit(sessions, lambda: NOON, 30 * DAY)

    limit.enforce()
    limit.enforce()

    assert [(it["event_id"], it["text"], it["count"]) for it in listed(client, ops)] == [
        ("b", "both", 1),
        ("again", "again", 2),
    ]
    assert stored(sessions)["bodies"] == 2


@pytest.mark.parametrize(
    ("sqlstate", "level"), [("54000", "error"), ("42P01", "error"), ("53100", "warning")]
)
def test_what_cannot_be_kept_is_counted_and_says_whether_it_will_pass(
    sessions: Sessions, sqlstate: str, level: str
) -> None:
    refuse_writes(sessions, "scoring.rejections", sqlstate=sqlstate)
    before = unkept()

    with structlog.testing.capture_logs() as lines:
        keep(sessions, [rejection("a"), rejection("b", code="worse")])

    assert unkept() == before + 2
    [line] = lines
    assert (line["event"], line["log_level"]) == ("rejections not kept", level)
    assert (line["codes"], line["error"].split()[-1]) == ({"bad": 1, "worse": 1}, sqlstate)


def unkept() -> float:
    """How many could not be kept, as a scrape would see it."""
    return REGISTRY.get_sample_value("leadbaton_ingest_rejections_unkept_total") or 0.0


def test_those_who_keep_the_same_in_another_order_do_not_wait_in_a_circle(
    sessions: Sessions,
) -> None:
    refused = [rejection(f"{at}") for at in range(300)]

    def keep_several(order: int) -> None:
        for _ in range(10):
            keep(sessions, refused[::order])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(keep_several, [1, -1, 1, -1]))

    assert stored(sessions) == {"rows": 300, "times": 12_000, "bodies": 300, "bytes": 790}
