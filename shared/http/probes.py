"""The responses of /healthz, /readyz and /metrics, and a small server for workers, which have no API."""

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
"""Content, status and headers, in the order of the arguments of Starlette's Response."""

MAX_CALLERS = 8
TIMEOUT_S = 5.0
"""How long a caller may send nothing."""


class ProbesNotServed(LeadbatonError):
    """The address of a worker's probes is in use, or is not an address of this machine."""

    code = "probes_not_served"


def database_check(sessions: Sessions) -> Callable[[], None]:
    """A check that raises while the database does not answer."""

    def check() -> None:
        with sessions() as session:
            session.execute(text("select 1"))

    return check


def readiness(checks: Mapping[str, Callable[[], None]]) -> Answer:
    """200 if every check passes, else 503; the body lists each check with `ok` or its fault."""
    faults = {name: _fault(check) for name, check in checks.items()}
    ready = not any(faults.values())
    body = {"ready": ready, "checks": {name: fault or "ok" for name, fault in faults.items()}}
    return orjson.dumps(body), 200 if ready else 503, {"content-type": "application/json"}


def _fault(check: Callable[[], None]) -> str | None:
    try:
        check()
    except LeadbatonError as error:
        return error.message
    except (SQLAlchemyError, OSError) as error:  # their texts may contain hosts and users
        return type(error).__name__
    return None


def metrics() -> Answer:
    """All metrics of this process."""
    content, kind = exposed()
    return content, 200, {"content-type": kind}


class ProbeServer(ThreadingHTTPServer):
    """A server with MAX_CALLERS threads; it closes further connections at once."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._slots = BoundedSemaphore(MAX_CALLERS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection if a slot is free, else close it."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Respond, then release the slot, also after an error."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print no traceback: the caller has disconnected."""


class Probes:
    """The probes of a worker. It is alive while `beat` is called, and also before the first call."""

    def __init__(
        self, *, time_source: TimeSource = utc_now, max_silence: timedelta = timedelta(minutes=2)
    ) -> None:
        self._time_source = time_source
        self._max_silence = max_silence
        self._beat_at: datetime | None = None
        self._checks: Mapping[str, Callable[[], None]] = {}

    def start(
        self,
        port: int | None,
        checks: Mapping[str, Callable[[], None]],
        *,
        host: str = "127.0.0.1",
    ) -> None:
        """Serve the probes from a daemon thread; without a port, do nothing. Raises ProbesNotServed."""
        self._checks = checks
        if port is not None:
            server = _server((host, port), _handler(self.answer))
            Thread(target=server.serve_forever, name="probes", daemon=True).start()

    def beat(self) -> None:
        """Note that the loop has made another turn."""
        self._beat_at = self._time_source()

    def answer(self, path: str) -> Answer:
        """The response to a GET of this path."""
        match path.partition("?")[0]:
            case "/healthz":
                alive = self._alive()
                answer = b"ok" if alive else b"the loop has stopped"
                return answer, 200 if alive else 503, {"content-type": "text/plain"}
            case "/readyz":
                return readiness(self._checks)
            case "/metrics":
                return metrics()
        return b"not found", 404, {"content-type": "text/plain"}

    def _alive(self) -> bool:
        return self._beat_at is None or self._time_source() - self._beat_at < self._max_silence


def _server(address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> ProbeServer:
    try:
        return ProbeServer(address, handler)
    except OSError as error:
        host, port = address
        raise ProbesNotServed(
            f"probes cannot listen on {host}, port {port} ({error.strerror}): set an address of this machine in "
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
            """Log nothing: probes are requested every few seconds, and some callers speak no HTTP."""

    return Handler
