"""Tests of the memory of a real API process while many clients keep their requests incomplete."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.embedded.postgres import free_port
from tests.builders import NOON
from tests.engine import PATIENCE_S

pytestmark = pytest.mark.postgres

CLIENTS = 500
SENT = 900_000
API = """
    import sys
    from fastapi import APIRouter, Request
    from starlette.responses import Response
    from shared.process import logs
    from shared.db.session import engine_for, sessions_on
    from shared.http.app import create_app
    from shared.http.direct_routes import include_direct
    from shared.http.server import serve

    logs.configure("error", service="test")
    app = create_app(title="t", summary="s", sessions=sessions_on(engine_for(sys.argv[1])))
    direct = APIRouter()

    @direct.post("/direct")
    async def take(request: Request) -> Response:
        return Response(b"%d" % len(request.scope["body"]))

    @app.post("/plain")
    def plain() -> None:
        "Reads none."

    include_direct(app, direct)
    serve(app, host="127.0.0.1", port=int(sys.argv[2]))
"""


class Server:
    """An API in a separate process."""

    def __init__(self, url: str) -> None:
        self.port = free_port()
        arguments = [sys.executable, "-c", textwrap.dedent(API), url, str(self.port)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)

    def megabytes(self, field: str = "VmHWM") -> int:
        """The memory of the process in MB, by default its maximum so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"{field}:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) // 1_000

    def answers_in_s(self) -> float:
        """The duration of a regular request."""
        started_s = time.monotonic()
        httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=10).raise_for_status()
        return time.monotonic() - started_s


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """A server that has started."""
    server = Server(database_url)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=7), timeout=PATIENCE_S) as client:
            client.get(f"http://127.0.0.1:{server.port}/healthz").raise_for_status()
        yield server
    finally:
        server.process.kill()
        server.process.wait()


async def hold_connections(server: Server, head: bytes, body: bytes) -> list[bytes]:
    """Let many clients send and wait; the responses, or b"" where the server still waits for the body.

    Meanwhile the server answers others.
    """
    request = b"POST %s\r\nhost: a\r\ncontent-length: 950000\r\n\r\n" % head

    async def client() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request + body)
        return reader, writer

    clients = await asyncio.gather(*(client() for _ in range(CLIENTS)))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        try:
            await writer.drain()
            return await asyncio.wait_for(reader.readline(), 5)
        except (TimeoutError, ConnectionResetError):
            return b""

    answers = await asyncio.gather(*(answer(*it) for it in clients))
    assert await asyncio.to_thread(server.answers_in_s) < 5
    for _, writer in clients:
        writer.close()
    return [it.split(b" ")[1] if it else b"" for it in answers]


@pytest.mark.parametrize(
    ("path", "keyed", "expected", "megabytes"),
    [
        ("/plain", False, {b"200"}, 100),
        ("/direct", False, {b"503", b""}, 120),
        ("/direct", True, {b"503", b""}, 300),
    ],
    ids=["no key", "no key in the head", "a good key"],
)
def test_held_bodies_share_a_budget(
    server: Server,
    sessions: Sessions,
    path: str,
    *,
    keyed: bool,
    expected: set[bytes],
    megabytes: int,
) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="s", now=NOON)
    fields = b"\r\nx-write-key: " + key.encode() if keyed else b""
    before = server.megabytes("VmRSS")

    answers = asyncio.run(
        hold_connections(server, path.encode() + b" HTTP/1.1" + fields, bytes(SENT))
    )

    assert set(answers) <= expected
    assert server.megabytes() - before < megabytes
