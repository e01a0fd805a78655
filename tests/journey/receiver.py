"""A receiver of webhooks: an HTTP server that verifies each one with the Standard Webhooks library."""

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
class ReceivedWebhook:
    """A webhook that arrived with a valid signature."""

    endpoint: str
    id: str
    body: dict[str, Any]
    traceparent: str
    raw: bytes
    headers: Mapping[str, str]

    @property
    def type(self) -> str:
        """The type of the notification."""
        return str(self.body["type"])

    def about(self, handoff_id: str) -> bool:
        """Whether the notification is about this handoff."""
        return bool(self.body["data"]["handoff"]["id"] == handoff_id)

    @property
    def sent_at(self) -> int:
        """The time of the attempt, in seconds since 1970."""
        return int(self.headers["webhook-timestamp"])

    def is_signed_with(self, secret: str) -> bool:
        """Whether it has a signature of this secret too."""
        try:
            Webhook(secret).verify(self.raw, dict(self.headers))
        except WebhookVerificationError:
            return False
        return True


class Receiver(ThreadingHTTPServer):
    """All endpoints of reps.yaml; the import gives their `secrets`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.secrets: Mapping[str, str] = {}
        self.webhooks: list[ReceivedWebhook] = []
        self.faults: list[str] = []

    def of(self, handoff_id: str, type: str) -> list[ReceivedWebhook]:
        """The webhooks of this type about this handoff."""
        return [it for it in list(self.webhooks) if it.type == type and it.about(handoff_id)]


class _Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # its sender was killed meanwhile
        endpoint = self.path.lstrip("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            payload = Webhook(self.server.secrets[endpoint]).verify(body, headers)
            self.server.webhooks.append(
                ReceivedWebhook(
                    endpoint, headers["webhook-id"], payload, headers["traceparent"], body, headers
                )
            )
            self.send_response(204)
        except (KeyError, ValueError, WebhookVerificationError) as error:
            self.server.faults.append(f"{endpoint}: {error!r}")
            self.send_response(400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: `webhooks` has the requests."""


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
