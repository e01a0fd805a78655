"""Tests with raw sockets and a real server: clients that send too much, too slowly or nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Event

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from shared.db.session import engine_for, sessions_on
from shared.http.app import create_app
from shared.http.connection import ConnectionLimits
from shared.http.direct_routes import include_direct
from tests.serving import serving

HEAD = b"POST /in HTTP/1.1\r\nhost: a\r\n"
GET = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
SHORT_LIMITS = ConnectionLimits(head_s=0.4, body_s=0.4, idle_s=0.4, drain_s=0.4)
PATIENT = ConnectionLimits(head_s=20, body_s=20, drain_s=20)


def echo() -> FastAPI:
    """An API whose `/in` reads bodies without a key, and whose `/large` responds with more than a client reads."""
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nothing"))
    app = create_app(title="t", summary="s", sessions=sessions, max_bytes=100_000)
    router = APIRouter()

    @router.post("/in")
    async def take(request: Request) -> Response:
        return Response(b"%d" % len(request.scope["body"]))

    @router.get("/large")
    def large() -> StreamingResponse:
        return StreamingResponse(bytes(1_000_000) for _ in range(100))

    include_direct(app, router)
    return app


@pytest.fixture(scope="module")
def patient() -> Iterator[int]:
    """The port of a server whose time limits are longer than a test."""
    with serving(echo(), PATIENT) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """The port of a server whose time limits are 0.4 s."""
    with serving(echo(), SHORT_LIMITS) as url:
        yield int(url.rpartition(":")[2])


def connect(port: int) -> socket.socket:
    """A socket that is connected to the server."""
    return socket.create_connection(("127.0.0.1", port), timeout=15)


def rest_of(client: socket.socket) -> bytes:
    """All bytes that the server sends before it closes."""
    answer = bytearray()
    with suppress(ConnectionResetError):
        while part := client.recv(65_536):
            answer += part
    return bytes(answer)


def error_response(port: int, parts: Iterable[bytes]) -> bytes:
    """All bytes that the server sends in response to these parts."""
    with connect(port) as client:
        with suppress(ConnectionResetError, BrokenPipeError):
            for part in parts:
                client.sendall(part)
        return rest_of(client)


def status_of(answer: bytes) -> int:
    """The status of the first response."""
    return int(answer.split(b" ", 2)[1])


def endless(start: bytes, part: bytes) -> Callable[[], Iterator[bytes]]:
    """A request of 50 MB, which stands for one without end."""

    def parts() -> Iterator[bytes]:
        yield start
        for _ in range(50_000_000 // len(part)):
            yield part

    return parts


@pytest.mark.parametrize(
    "parts",
    [
        endless(b"GET /", b"a" * 10_000),
        endless(HEAD + b"x: ", b"a" * 10_000),
        endless(HEAD + b"x", b"a" * 10_000),
        endless(HEAD, b"x: 1\r\n" * 1_000),
        endless(b"", b"\r\n" * 5_000),
        endless(HEAD + b"x: ", b"a" * 300_000),
    ],
    ids=["url", "value", "name", "fields", "nothing", "in large parts"],
)
def test_a_head_that_never_ends_is_cut(patient: int, parts: Callable[[], Iterator[bytes]]) -> None:
    answer = error_response(patient, parts())
    assert status_of(answer) == 431
    assert b'"code":"head_too_large"' in answer
    assert b"connection: close" in answer


@pytest.mark.parametrize(("fields", "status"), [(98, 200), (101, 431)])
def test_a_head_has_no_more_than_a_hundred_fields(patient: int, fields: int, status: int) -> None:
    extra_fields = b"".join(b"x-%d: 1\r\n" % number for number in range(fields))
    answer = error_response(
        patient, [b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + extra_fields + b"\r\n"]
    )
    assert status_of(answer) == status


def test_a_large_head_before_a_body_is_read_however_it_comes(patient: int) -> None:
    body = b"b" * 90_000
    request = (
        HEAD + b"connection: close\r\nx: " + b"a" * 60_000
        + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip
    for size in (len(request), 70_000, 10_000):
        parts = [request[index : index + size] for index in range(0, len(request), size)]
        assert error_response(patient, parts).endswith(b"90000")


def test_requests_in_one_piece_are_answered_in_their_order(patient: int) -> None:
    posts = [HEAD + b"content-length: %d\r\n\r\n" % size + b"x" * size for size in (3, 70_000, 5)]
    last = HEAD + b"connection: close\r\ncontent-length: 0\r\n\r\n"
    answer = error_response(patient, [b"".join(posts) + last])
    assert answer.count(b"200 OK") == 4
    offsets = [answer.index(b"\r\n\r\n" + size) for size in (b"3", b"70000", b"5", b"0")]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize(
    "frames",
    [b"0\r\nx: " + b"a" * 10_000, b"1;" + b"a" * 10_000, b"0\r\n" + b"x: 1\r\n" * 1_000],
    ids=["trailer", "extension", "trailers"],
)
def test_a_chunked_body_is_not_all_frames(patient: int, frames: bytes) -> None:
    start = HEAD + b"transfer-encoding: chunked\r\n\r\n" + frames
    answer = error_response(patient, endless(start, b"a" * 10_000)())
    assert not answer or status_of(answer) in (400, 431)


def test_a_body_of_small_chunks_is_read(patient: int) -> None:
    body = b"1\r\nx\r\n" * 40_000 + b"0\r\n\r\n"
    head = HEAD + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    assert error_response(
        patient, [head, *(body[index : index + 9_000] for index in range(0, len(body), 9_000))]
    )[-5:] == (b"40000")


def test_what_is_no_http_is_refused_as_a_problem(patient: int) -> None:
    answer = error_response(patient, [b"hello\r\n\r\n"])
    assert status_of(answer) == 400
    assert b'"code":"malformed_request"' in answer


def test_a_chunk_that_is_none_ends_the_request(patient: int) -> None:
    answer = error_response(patient, [HEAD + b"transfer-encoding: chunked\r\n\r\n", b"zz\r\n"])
    assert (status_of(answer), b"malformed_request" in answer) == (400, True)


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"", None),
        (b"GET / HT", 408),
        (HEAD, 408),
        (HEAD + b"content-length: 9\r\n\r\nabc", 408),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", 408),
        (GET, 200),
        (b"POST /nowhere HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc", 404),
        (HEAD + b"authorization: Bearer x\r\ncontent-length: 9\r\n\r\nabc", 401),
        (HEAD + b"content-encoding: br\r\ncontent-length: 9\r\n\r\nabc", 415),
        (GET + b"GET / HT", 200),
    ],
    ids=[
        "nothing", "start", "head", "body", "chunks", "idle", "nowhere", "refused", "unread",
        "second head",
    ],
)  # fmt: skip
def test_who_stops_in_the_middle_is_sent_away(
    impatient: int, start: bytes, status: int | None
) -> None:
    started_s = time.monotonic()
    answer = error_response(impatient, [start])
    assert (status_of(answer) if answer else None) == status
    assert time.monotonic() - started_s < 10


@pytest.mark.parametrize("start", [b"GET /", HEAD + b"content-length: 99999\r\n\r\n"])
def test_who_sends_a_byte_now_and_then_is_sent_away_too(impatient: int, start: bytes) -> None:
    def drops() -> Iterator[bytes]:
        yield start
        for _ in range(200):
            yield b"a"
            Event().wait(0.02)

    assert status_of(error_response(impatient, drops())) == 408


def test_a_body_that_stops_after_the_answer_began_ends_the_answer(impatient: int) -> None:
    answer = error_response(
        impatient, [b"GET /large HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc"]
    )
    assert status_of(answer) == 200


def test_who_reads_slowly_is_waited_for(patient: int) -> None:
    with connect(patient) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        Event().wait(0.3)
        assert len(rest_of(client)) > 100_000_000


def test_who_does_not_read_the_answer_is_cut_off(impatient: int) -> None:
    with connect(impatient) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        Event().wait(1.5)
        assert len(rest_of(client)) < 50_000_000


def test_a_slow_answer_is_waited_for_beside_a_slow_next_head() -> None:
    app = echo()
    requested, go = Event(), Event()

    @app.get("/slow")
    def slow() -> str:
        requested.set()
        go.wait(10)
        return "done"

    with serving(app, SHORT_LIMITS) as url, connect(int(url.rpartition(":")[2])) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        assert requested.wait(10)
        client.sendall(b"GET /")
        Event().wait(1.2)  # longer than a head may take
        go.set()
        answer = rest_of(client)
    assert status_of(answer) == 200
    assert b"done" in answer


def test_the_rest_of_a_body_that_was_refused_is_read_and_the_connection_goes_on(
    patient: int,
) -> None:
    body = b"x" * 3_000_000
    with connect(patient) as client:
        client.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
        assert b"413" in client.recv(65_536)
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        assert b"200 OK" in rest_of(client)
