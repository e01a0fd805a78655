"""Tests of errors, limits and probes of an API, with a real database."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import text

from shared.auth.issuing import create_key
from shared.auth.keys import Caller, KeyScope
from shared.db.session import Sessions, engine_for, sessions_on
from shared.embedded.postgres import free_port
from shared.errors import Rejected, Unavailable
from shared.http.app import create_app
from shared.http.dependencies import Now, Ops, OpsOrRep, Tx
from shared.http.problems import problem

pytestmark = pytest.mark.postgres
WELL_FORMED = f"lb_ops_{'0' * 12}_{'0' * 48}"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


class UnknownThing(Rejected):
    """The part does not exist."""

    code = "unknown_thing"
    status = 404


class Body(BaseModel):
    """The body of a request."""

    number: int


def with_routes(sessions: Sessions) -> FastAPI:
    """An app with one route for each kind of response."""
    app = create_app(
        title="t", summary="s", sessions=sessions, time_source=lambda: NOON, max_bytes=1_000
    )

    @app.post("/numbers")
    def numbers(body: Body, session: Tx, now: Now) -> dict[str, Any]:
        session.execute(text("create table if not exists numbers (number int primary key)"))
        session.execute(text("insert into numbers values (:n)"), {"n": body.number})
        if body.number == 13:
            raise UnknownThing("no thing 13: take another")
        return {"now": now, "number": body.number}

    @app.get("/numbers")
    def stored(session: Tx) -> list[int]:
        return list(session.scalars(text("select number from numbers")))

    @app.get("/ops")
    def ops(caller: Ops) -> Caller:
        return caller

    @app.get("/both")
    def ops_or_rep(caller: OpsOrRep) -> str:
        return caller.subject

    @app.get("/later")
    def later() -> None:
        raise Unavailable("come back")

    @app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError

    return app


@pytest.fixture
def client(sessions: Sessions) -> TestClient:
    """A client that gets a response of 500 instead of an exception."""
    return TestClient(with_routes(sessions), raise_server_exceptions=False)


@pytest.fixture
def known(client: TestClient, sessions: Sessions) -> TestClient:
    """The same client with a key; without a key no body is read."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.REP, subject="ann", now=NOON)
    client.headers["x-write-key"] = key
    return client


def test_a_transaction_is_committed_before_the_answer_and_undone_by_an_error(
    known: TestClient,
) -> None:
    assert known.post("/numbers", json={"number": 1}).json() == {
        "now": "2026-12-01T12:00:00Z",
        "number": 1,
    }
    refusal = known.post("/numbers", json={"number": 13})

    assert (refusal.status_code, refusal.headers["content-type"]) == (
        404,
        "application/problem+json",
    )
    assert refusal.json() == {
        "type": "urn:leadbaton:error:unknown_thing",
        "title": "Unknown thing",
        "status": 404,
        "detail": "no thing 13: take another",
        "code": "unknown_thing",
        "message": "no thing 13: take another",
    }
    assert known.get("/numbers").json() == [1]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/numbers", b'{"number": ', 400, "malformed_body"),
        ("POST", "/numbers", b'{"number": "x"}', 422, "invalid_request"),
        ("GET", "/nowhere", b"", 404, "not_found"),
        ("GET", "/ops/", b"", 404, "not_found"),
        ("DELETE", "/numbers", b"", 405, "method_not_allowed"),
        ("GET", "/ops", b"", 403, "wrong_scope"),
        ("GET", "/later", b"", 503, "unavailable"),
        ("GET", "/bug", b"", 500, "internal"),
        ("POST", "/numbers", b'{"number": 1}' + b" " * 1_000, 413, "too_large"),
    ],
)
def test_every_error_is_a_problem_with_code_and_message(
    known: TestClient, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    response = known.request(
        method, path, content=content, headers={"content-type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"] == response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


def test_an_error_is_written_whatever_characters_it_repeats() -> None:
    answer = problem(UnknownThing("no thing a\ud800b\x00"), faults=[{"where": "\udfff"}])

    response = orjson.loads(answer.body)
    assert response["message"] == "no thing a\ufffdb\x00"
    assert response["faults"] == [{"where": "\ufffd"}]


@pytest.mark.parametrize(
    "key", ["lb", "lb_ops", "lb_ops_0123", "lb_ops_0_1_2", "lb__", "a\\0b", "é", WELL_FORMED]
)
def test_a_key_with_too_few_parts_or_odd_ones_is_unknown(client: TestClient, key: str) -> None:
    raw = key.encode()
    for headers in ({b"x-write-key": raw}, {b"authorization": b"Bearer " + raw}):
        response = client.get("/ops", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unknown_key")


def test_a_statement_that_the_database_refuses_is_a_fault_of_ours_and_no_outage(
    sessions: Sessions,
) -> None:
    app = with_routes(sessions)

    @app.get("/refused")
    def refusal(session: Tx) -> None:
        session.execute(text("create temp table large (value text primary key)"))
        session.execute(text("insert into large values (:v)"), {"v": token_hex(9_000)})

    response = TestClient(app, raise_server_exceptions=False).get("/refused")
    assert (response.status_code, response.json()["code"]) == (500, "internal")


def test_what_passes_says_when_to_try_again(client: TestClient) -> None:
    assert client.get("/later").headers["retry-after"] == "5"
    assert client.get("/ops").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scope", list(KeyScope))
def test_a_key_opens_what_the_scope_says(
    client: TestClient, sessions: Sessions, scope: KeyScope
) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=scope, subject="ann", now=NOON)

    only_ops = client.get("/ops", headers={"authorization": f"Bearer {key}"})
    shared_route = client.get("/both", auth=(key, ""))

    assert only_ops.status_code == (200 if scope is KeyScope.OPS else 403)
    opened = scope in (KeyScope.OPS, KeyScope.REP)
    assert shared_route.status_code == (200 if opened else 403)
    if not opened:
        assert shared_route.json()["code"] == "wrong_scope"


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", lambda it: gzip.compress(it[:5]) + gzip.compress(it[5:])),
        ("deflate", zlib.compress),
        ("deflate", lambda it: zlib.compress(it, wbits=-15)),
        ("identity", bytes),
    ],
    ids=["gzip", "members", "deflate", "bare", "identity"],
)
def test_a_compressed_body_is_read(known: TestClient, encoding: str, compress: Any) -> None:
    response = known.post(
        "/numbers",
        content=compress(b'{"number": 7}'),
        headers={"content-encoding": encoding, "content-type": "application/json"},
    )
    assert response.json()["number"] == 7


@pytest.mark.parametrize(
    ("encoding", "content", "status", "code"),
    [
        ("br", b"x", 415, "unsupported_encoding"),
        ("gzip", b"\x1fnonsense", 400, "malformed_body"),
        ("gzip", gzip.compress(b'{"number": 7}')[:-9], 400, "malformed_body"),
        ("gzip", gzip.compress(b" " * 60_000_000), 413, "too_large"),
    ],
    ids=["unknown", "nonsense", "cut", "bomb"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    known: TestClient, encoding: str, content: bytes, status: int, code: str
) -> None:
    response = known.post("/numbers", content=content, headers={"content-encoding": encoding})
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_probes_say_what_is_reachable(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok"
    assert client.get("/readyz").json() == {"ready": True, "checks": {"database": "ok"}}
    client.get("/later")
    assert (
        'leadbaton_http_request_seconds_count{method="GET",route="/later",status="503"}'
        in client.get("/metrics").text
    )


def test_without_the_database_it_is_unavailable_and_not_ready() -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    client = TestClient(with_routes(sessions_on(engine)), raise_server_exceptions=False)

    for path in ("/numbers", "/ops"):
        response = client.get(path, headers={"x-write-key": WELL_FORMED})
        assert (response.status_code, response.json()["code"]) == (503, "database_away")
        assert int(response.headers["retry-after"]) > 0
    ready = client.get("/readyz")
    assert (ready.status_code, orjson.loads(ready.content)["checks"]) == (
        503,
        {"database": "OperationalError"},
    )
    assert client.get("/healthz").status_code == 200
    engine.dispose()


@pytest.mark.parametrize("path", ["/nowhere", "/ops", "/later", "/bug"])
@pytest.mark.parametrize("origin", ["https://site.example", "null"])
def test_a_page_of_any_origin_may_read_an_error(client: TestClient, path: str, origin: str) -> None:
    response = client.get(path, headers={"origin": origin})

    assert response.status_code >= 400
    assert response.headers.get_list("access-control-allow-origin") == [origin]
    assert response.headers["access-control-expose-headers"] == "retry-after"
    assert "access-control-allow-credentials" not in response.headers
    assert "access-control-allow-origin" not in client.get(path).headers


def test_what_is_no_error_stays_for_the_pages_that_may_read_it(client: TestClient) -> None:
    response = client.get("/healthz", headers={"origin": "https://site.example"})

    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def test_a_path_that_does_not_exist_is_answered_with_the_paths_that_do(client: TestClient) -> None:
    message = client.get("/number").json()["message"]

    assert "/numbers, /ops, /both" in message
    assert "/healthz" not in message
