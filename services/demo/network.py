"""A forwarding server that loses some answers after the API has done the work, so that senders retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

import httpx


class FlakyNetwork(ThreadingHTTPServer):
    """A forwarding server on loopback that loses every `loses`-th answer."""

    daemon_threads = True

    def __init__(self, target: str, *, loses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.client = httpx.Client(base_url=target, timeout=15)
        self.loses = loses
        self.numbers = count(1)
        self.lost = 0

    @property
    def url(self) -> str:
        """The URL that senders use in place of the API's."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def flaky_network(target: str, *, loses: int = 12) -> Iterator[FlakyNetwork]:
    """The network between senders and the API at `target`, while the block runs."""
    network = FlakyNetwork(target, loses=loses)
    thread = Thread(target=network.serve_forever, args=(0.05,), name="flaky-network", daemon=True)
    thread.start()
    try:
        yield network
    finally:
        network.shutdown()
        thread.join()
        network.server_close()
        network.client.close()


class _Forward(BaseHTTPRequestHandler):
    server: FlakyNetwork

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "connection", "content-length")
        }
        try:
            answer = self.server.client.post(self.path, content=body, headers=headers)
        except httpx.TransportError:
            return  # the API is away: to the sender this is a closed connection
        if next(self.server.numbers) % self.server.loses == 0:
            self.server.lost += 1
            return
        self.send_response(answer.status_code)
        for name in ("content-type", "retry-after"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Log nothing: the terminal shows the figures."""
