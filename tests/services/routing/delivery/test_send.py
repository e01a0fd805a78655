"""Once the head of an answer is there its status decides, whatever becomes of its body."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from services.routing.delivery.send import post_webhook
from services.routing.domain.attempts import Delivered, GaveUp, Outcome, Response, Retry, judge
from services.routing.queries.endpoints import disabled_endpoints
from shared.db.session import Sessions
from shared.http.outbound import guarded_client
from tests.builders import NOON
from tests.engine import until
from tests.services.routing.builders import entry, importing
from tests.services.routing.delivery.post import LOOPBACK, Post
from tests.services.routing.delivery.receiver import receiving

Body = Callable[[socket.socket, threading.Event], None]
CHUNK = b"4\r\nwait\r\n"


def endless(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"transfer-encoding: chunked\r\n\r\n")
    while not over.is_set():
        connection.sendall(CHUNK)


def slow(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"content-length: 100\r\n\r\nwait")
    over.wait(20)


def dripping(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"transfer-encoding: chunked\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(CHUNK)


def silent(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"content-length: 100\r\n\r\n")
    over.wait(20)


def broken(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"transfer-encoding: chunked\r\n\r\n" + CHUNK + b"no chunk at all\r\n")


def short(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"content-length: 100\r\n\r\nwait")


def reset(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"content-length: 100\r\n\r\nwait")
    until(lambda: _has_read_all(connection))  # a reset drops what its receiver has not read
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _has_read_all(connection: socket.socket) -> bool:
    """Whether the other side, on this machine too, has read what was sent: the queue of its socket is empty."""
    ports = [f":{it[1]:04X}" for it in (connection.getpeername(), connection.getsockname())]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if local.endswith(ports[0]) and remote.endswith(ports[1]):
            return queues.endswith(":00000000")
    return True


BODIES = (endless, slow, dripping, silent, broken, short, reset)


@contextmanager
def answering(status: str, body: Body) -> Iterator[str]:
    """A server that answers each request with this status line and headers, and then with that body."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    _read_request(connection)
                    connection.sendall(f"HTTP/1.1 {status}\r\n".encode())
                    body(connection, over)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _read_request(connection: socket.socket) -> None:
    """All of it: whoever answers before, and closes, resets the connection."""
    read = b""
    while not read.endswith(b"}"):
        read += connection.recv(65_536)


def posted(url: str) -> tuple[Response, float]:
    """What came back, and after how many seconds."""

    async def post() -> Response:
        async with guarded_client(LOOPBACK, connections=1) as client:
            return await post_webhook(client, url, headers={}, body=b"{}", within_s=5)

    began_s = time.monotonic()
    response = asyncio.run(post())
    return response, time.monotonic() - began_s


LATER = format_datetime(NOON + timedelta(minutes=2), usegmt=True)


@pytest.mark.parametrize("body", BODIES, ids=lambda it: it.__name__)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", Delivered()),
        ("410 Gone", GaveUp(gone=True)),
        ("429 Slowly\r\nretry-after: 120", Retry(NOON + timedelta(minutes=2))),
        (f"429 Slowly\r\nretry-after: {LATER}", Retry(NOON + timedelta(minutes=2))),
        (f"503 Away\r\nretry-after: {LATER}", Retry(NOON + timedelta(minutes=2))),
        ("500 Oh", Retry(NOON + timedelta(seconds=5))),
    ],
    ids=["200", "410", "429 seconds", "429 date", "503 date", "500"],
)
def test_the_status_decides_whatever_the_body_does(
    status: str, outcome: Outcome, body: Body
) -> None:
    with answering(status, body) as url:
        response, took_s = posted(url)

    assert response.status == int(status[:3])
    assert judge(response, number=1, now=NOON, chance=0.0) == outcome
    assert took_s < 4
    assert body is silent or response.detail.startswith("wait")


@pytest.mark.postgres
@pytest.mark.parametrize("body", [endless, reset], ids=lambda it: it.__name__)
def test_a_410_with_an_odd_body_disables_the_endpoint(sessions: Sessions, body: Body) -> None:
    with receiving() as receiver, answering("410 Gone", body) as url:
        post = Post(sessions, receiver)
        with sessions.begin() as session:
            importing(
                session,
                entry("grace", endpoint={"url": url}),
                fallback=receiver.url("/teams/sales"),
                ops=receiver.url("/ops"),
            )
        post.assign()
        post.run(until=2)

    assert sorted(it.path for it in receiver.got) == ["/ops", "/teams/sales"]
    with sessions() as session:
        assert list(disabled_endpoints(session)) == ["rep/grace"]
