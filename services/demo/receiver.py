"""An HTTP server that verifies each webhook and answers for the reps: at once, late or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Lock, Thread, Timer
from typing import Any

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

OUTCOMES_WITHIN_S = 15.0
PORT = 8010
"""Where examples/reps.yaml expects the reps' endpoints."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a rep answers: what they do, and how many seconds after the webhook."""

    name: str
    answers: tuple[tuple[float, str], ...]


AT_ONCE = Habit("answers at once", ((1.0, "accept"), (4.0, "contact"), (9.0, "close")))
LATE = Habit("answers late", ((16.0, "accept"), (25.0, "contact")))
NEVER = Habit("never answers", ())
HABITS = (AT_ONCE, LATE, NEVER)


@dataclass(slots=True)
class Rep:
    """A rep for whom the receiver answers; `key` is the rep's own API key."""

    id: str
    habit: Habit
    key: str


@dataclass(slots=True)
class WebhookCounts:
    """Numbers of webhooks verified (by path), refused and repeated, and of answers by action and status."""

    verified: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    repeated: int = 0
    answers: Counter[str] = field(default_factory=Counter)


class Receiver(ThreadingHTTPServer):
    """One server for every endpoint of reps.yaml: `/reps/<id>`, `/teams/<id>`, `/ops`, `/marketing`."""

    daemon_threads = True

    def __init__(
        self, port: int, *, secrets: Mapping[str, str], reps: Mapping[str, Rep], routing_url: str
    ) -> None:
        super().__init__(("127.0.0.1", port), _Webhooks)
        self.secrets = secrets
        self.reps = reps
        self.counts = WebhookCounts()
        self.outcomes: list[dict[str, Any]] = []
        """What marketing was told of its campaigns."""
        self._came = Condition()
        self._routing = httpx.Client(base_url=routing_url, timeout=15)
        self._ids: set[str] = set()
        self._links: dict[str, str] = {}
        self._lock = Lock()

    def answer_hint(self) -> str:
        """The newest link to an answer page: of a rep who never answers, if such a rep got a lead."""
        silent = [it for id, it in self._links.items() if not self.reps[id].habit.answers]
        link = next(iter([*silent, *self._links.values()]), None)
        if link is None:
            return "No rep got a lead, so there is no link to answer with."
        return f"A rep answers with this link, without a key: {link}"

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Verify the webhook and start the rep's answers to it; returns the HTTP status to answer."""
        try:
            payload = Webhook(self.secrets[path]).verify(body, dict(headers))
        except (KeyError, ValueError, WebhookVerificationError):
            self.counts.refused += 1
            return 401
        with self._lock:
            if (id := headers["webhook-id"]) in self._ids:
                self.counts.repeated += 1
                return 204
            self._ids.add(id)
            self.counts.verified[path] += 1
        if payload["type"] == "campaign.outcome":
            with self._came:
                self.outcomes.append(payload["data"]["outcome"])
                self._came.notify_all()
        self._start_answers(path, payload)
        return 204

    def wait_for_outcomes(self, count: int, timeout_s: float = OUTCOMES_WITHIN_S) -> None:
        """Return when marketing was told of so many campaigns, or after the time."""
        with self._came:
            self._came.wait_for(lambda: len(self.outcomes) >= count, timeout_s)

    def _start_answers(self, path: str, payload: dict[str, Any]) -> None:
        rep = self.reps.get(path.removeprefix("/reps/"))
        if rep is None or payload["type"] != "handoff.assigned":
            return
        if link := payload["data"].get("links", {}).get("answer"):
            self._links[rep.id] = link
        for after_s, verb in rep.habit.answers:
            timer = Timer(after_s, self.answer, (rep, payload["data"]["handoff"]["id"], verb))
            timer.daemon = True
            timer.start()

    def answer(self, rep: Rep, handoff_id: str, verb: str) -> None:
        """Give the answer to the routing API, as the rep."""
        action, body = answer_of(handoff_id, verb)
        headers = {"Authorization": f"Bearer {rep.key}"}
        path = f"/v1/handoffs/{handoff_id}/{action}"
        try:
            status = self._routing.post(path, json=body, headers=headers).status_code
        except httpx.TransportError:
            status = 503
        self.counts.answers[f"{action} {status}"] += 1


def answer_of(handoff_id: str, verb: str) -> tuple[str, dict[str, Any]]:
    """The API's action and body; a handoff's id decides whether it is won or lost."""
    if verb == "contact":
        return "contact", {"channel": "phone", "outcome": "reached"}
    if verb != "close":
        return verb, {}
    if int(handoff_id[-1], 16) % 3 == 0:
        return "lose", {"reason": "no_budget"}
    return "win", {"amount": 12_000, "currency": "EUR"}


@contextmanager
def serving(receiver: Receiver) -> Iterator[Receiver]:
    """The receiver, answering while the block runs."""
    thread = Thread(target=receiver.serve_forever, args=(0.05,), name="receiver", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


class _Webhooks(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.receive(self.path, headers, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: the terminal shows the figures."""
