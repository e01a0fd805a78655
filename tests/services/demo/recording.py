"""A small HTTP server that keeps what is posted to it and answers what the test says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    path: str
    authorization: str
    body: dict[str, Any]


@dataclass(slots=True)
class Answer:
    """One response."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=lambda: {"success": True})


class Recording(ThreadingHTTPServer):
    """Keeps every request, in the order of arrival."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Posted], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.posted: list[Posted] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def paths(self) -> list[str]:
        """What was posted to, in order."""
        return [it.path for it in self.posted]


@contextmanager
def recording(answer: Callable[[Posted], Answer] = lambda _: Answer()) -> Iterator[Recording]:
    """The server, while the block runs."""
    server = Recording(answer)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Recording

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
        posted = Posted(self.path, self.headers.get("Authorization", ""), json.loads(body or b"{}"))
        self.server.posted.append(posted)
        answer = self.server.answer(posted)
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
