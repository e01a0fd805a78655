"""A small real HTTP server that answers webhooks as it was told, and remembers them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_S = 60.0
HOLD_S = 2 * PATIENCE_S
"""An answer is held back for so long at most: longer than tests wait for what must not wait for it."""


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What to answer; `hold` is waited for first."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hold: threading.Event | None = None


class Receiver(ThreadingHTTPServer):
    """Answers each path with its replies in turn, the last one for ever."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.got: list[Got] = []
        self.replies: defaultdict[str, list[Reply]] = defaultdict(list)
        self.busy = 0
        self.most_busy = 0
        self.lock = threading.Lock()
        self.arrival = threading.Condition(self.lock)

    def url(self, path: str) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}{path}"

    def reply(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    def next_reply(self, got: Got) -> Reply:
        with self.arrival:
            self.got.append(got)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            self.arrival.notify_all()
            left = self.replies[got.path]
            return left.pop(0) if len(left) > 1 else (left or [Reply()])[0]

    def wait(self, enough: Callable[[list[Got]], bool]) -> None:
        with self.arrival:
            assert self.arrival.wait_for(lambda: enough(self.got), timeout=PATIENCE_S)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.next_reply(Got(self.path, headers, body))
        if reply.hold is not None:
            reply.hold.wait(HOLD_S)
        with self.server.lock:
            self.server.busy -= 1
        self.send_response(reply.status)
        for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
            self.send_header(name, value)
        # senders read a part of a body, and hang up on slow replies
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(reply.body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Tests are quiet."""


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver in a thread, until the block ends."""
    server = Receiver(host)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
