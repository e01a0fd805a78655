"""Logs, measures and traces each request, without its query string, which may hold personal data."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.event_stream import UNTIMED
from shared.http.headers import header
from shared.http.metrics import HTTP_REQUEST_SECONDS
from shared.process import logs
from shared.process.tracing import SpanKind, TraceSpan, start_span, trace_id

PROBE_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Monitoring requests these every few seconds: they are measured, but neither logged nor traced."""

CLIENT_CLOSED_REQUEST = 499
"""The status, as in nginx, of a request whose client disconnected before the response."""


class RequestLog:
    """Middleware around the whole app. Requests of `quiet` routes are logged only if they are refused."""

    def __init__(self, app: ASGIApp, *, quiet: Collection[str] = ()) -> None:
        self.app = app
        self.quiet = quiet
        self.log = logs.get(__name__).bind()  # once, because it takes longer than writing a line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within its trace, and record its result, also after an error."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] in PROBE_PATHS:
            await self._measure(scope, receive, send, TraceSpan(""))
        else:
            parent = header(scope, b"traceparent")
            with start_span(scope["method"], parent, kind=SpanKind.SERVER) as span:
                scope["traceparent"] = span.traceparent
                await self._measure(scope, receive, send, span)

    async def _measure(self, scope: Scope, receive: Receive, send: Send, span: TraceSpan) -> None:
        status: int | None = None
        answered_s = started_s = perf_counter()

        async def send_noting_status(message: Message) -> None:
            nonlocal status, answered_s
            if message["type"] == "http.response.start":
                status, answered_s = message["status"], perf_counter()
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
            status = status or CLIENT_CLOSED_REQUEST
        finally:
            ended_s = answered_s if UNTIMED in scope else perf_counter()
            self._record(scope, status or 500, ended_s - started_s, span)

    def _record(self, scope: Scope, status: int, seconds: float, span: TraceSpan) -> None:
        method, route = scope["method"], getattr(scope.get("route"), "path", "unknown")
        _seconds(method, route, status).observe(seconds)
        if route in PROBE_PATHS:
            return
        if status >= 400 or route not in self.quiet:
            self.log.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                trace=trace_id(span.traceparent),
            )
        span.note(
            {"http.route": route, "http.response.status_code": status}, name=f"{method} {route}"
        )
        if status >= 500:
            span.fail(f"answered {status}")


@cache
def _seconds(method: str, route: str, status: int) -> Histogram:
    return HTTP_REQUEST_SECONDS.labels(method, route, status)
