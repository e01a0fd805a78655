"""/healthz, /readyz and /metrics: for APIs as routes, for workers from a small server of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import TimeSource, utc_now
from shared.db.session import Sessions
from shared.errors import LeadbatonError
from shared.http.metrics import exposed

Answer = tuple[bytes, int, dict[str, str]]
"""Content, status, headers: in the order of Starlette's Response."""

MAX_CALLERS = 8
TIMEOUT_S = 5.0
"""How long a caller may be silent."""


class ProbesNotServed(LeadbatonError):
    """The address of a worker's probes is in use, or not one of this machine."""

    code = "probes_not_served"


def database(sessions: Sessions) -> Callable[[], None]:
    """A check that raises while the database does not answer."""

    def check() -> None:
        with sessions() as session:
            session.execute(text("select 1"))

    return check


def readiness(checks: Mapping[str, Callable[[], None]]) -> Answer:
    """200 if every check passes, else 503; the body says which did not."""
    faults = {name: _fault(check) for name, check in checks.items()}
    ready = not any(faults.values())
    body = {"ready": ready, "checks": {name: fault or "ok" for name, fault in faults.items()}}
    return orjson.dumps(body), 200 if ready else 503, {"content-type": "application/json"}


def _fault(check: Callable[[], None]) -> str | None:
    try:
        check()
    except LeadbatonError as error:
        return error.message
    except (SQLAlchemyError, OSError) as error:  # their text may name hosts and users
        return type(error).__name__
    return None


def metrics() -> Answer:
    """All metrics of this process."""
    content, kind = exposed()
    return content, 200, {"content-type": kind}


class ProbeServer(ThreadingHTTPServer):
    """Answers a few callers at once and closes the connections of more, so that nobody can take all threads."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._slots = BoundedSemaphore(MAX_CALLERS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a thread, if there is a slot for one."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and give the slot back however that ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no error of ours: no traceback."""


class Probes:
    """What a worker says of itself. It is alive while it beats; one that never beats is believed alive."""

    def __init__(
        self, *, time_source: TimeSource = utc_now, patience: timedelta = timedelta(minutes=2)
    ) -> None:
        self._clock = time_source
        self._patience = patience
        self._beaten_at: datetime | None = None
        self._checks: Mapping[str, Callable[[], None]] = {}

    def start(
        self,
        port: int | None,
        checks: Mapping[str, Callable[[], None]],
        *,
        host: str = "127.0.0.1",
    ) -> None:
        """Serve the probes from a daemon thread; with no port, do nothing. Raises ProbesNotServed."""
        self._checks = checks
        if port is not None:
            server = _served((host, port), _handler(self.answer))
            Thread(target=server.serve_forever, name="probes", daemon=True).start()

    def beat(self) -> None:
        """Say that the loop goes round."""
        self._beaten_at = self._clock()

    def answer(self, path: str) -> Answer:
        """What a GET of this path gets."""
        match path.partition("?")[0]:
            case "/healthz":
                alive = self._alive()
                answer = b"ok" if alive else b"the loop stands still"
                return answer, 200 if alive else 503, {"content-type": "text/plain"}
            case "/readyz":
                return readiness(self._checks)
            case "/metrics":
                return metrics()
        return b"not found", 404, {"content-type": "text/plain"}

    def _alive(self) -> bool:
        return self._beaten_at is None or self._clock() - self._beaten_at < self._patience


def _served(address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> ProbeServer:
    try:
        return ProbeServer(address, handler)
    except OSError as error:
        host, port = address
        raise ProbesNotServed(
            f"probes cannot listen on {host}, port {port} ({error.strerror}): name an address of this machine in "
            "LEADBATON_PROBE_HOST, and in LEADBATON_PROBE_PORT a port that is free"
        ) from None


def _handler(answer: Callable[[str], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            content, status, headers = answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Probes are asked every few seconds, and callers may be slow or speak no HTTP: no line."""

    return Handler
