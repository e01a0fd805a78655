"""Whoever webhooks are meant for: a real HTTP server that verifies each with the Standard Webhooks library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError


@dataclass(frozen=True)
class Told:
    """A webhook that arrived and was what it claims to be."""

    endpoint: str
    id: str
    body: dict[str, Any]
    traceparent: str

    @property
    def type(self) -> str:
        """What it tells."""
        return str(self.body["type"])

    def about(self, handoff_id: str) -> bool:
        """Whether it tells of this handoff."""
        return bool(self.body["data"]["handoff"]["id"] == handoff_id)


class Receiver(ThreadingHTTPServer):
    """Every endpoint of reps.yaml at once; `secrets` come from the import."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.secrets: Mapping[str, str] = {}
        self.told: list[Told] = []
        self.faults: list[str] = []

    def of(self, handoff_id: str, type: str) -> list[Told]:
        """What was told of this handoff."""
        return [it for it in list(self.told) if it.type == type and it.about(handoff_id)]


class _Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        endpoint = self.path.lstrip("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            said = Webhook(self.server.secrets[endpoint]).verify(body, headers)
            told = Told(endpoint, headers["webhook-id"], said, headers["traceparent"])
            self.server.told.append(told)
            self.send_response(204)
        except (KeyError, ValueError, WebhookVerificationError) as wrong:
            self.server.faults.append(f"{endpoint}: {wrong!r}")
            self.send_response(400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what arrived is in `told`."""


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver that answers while the block runs."""
    receiver = Receiver()
    thread = Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    receiver.shutdown()
    thread.join()
    receiver.server_close()
