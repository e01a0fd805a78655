"""One log line, one measurement and one span a request; never its query string, which may name a person."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.headers import header
from shared.http.metrics import HTTP_REQUEST_SECONDS
from shared.process import logs
from shared.process.tracing import SpanKind, TraceSpan, start_span, trace_id

UNTOLD = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: measured, neither logged nor traced."""


GONE = 499
"""The client went away, or was too slow, before it had an answer: as nginx calls it."""


class Observed:
    """Wraps the whole app, so that refusals are seen too. On quiet routes only what is refused is worth a line."""

    def __init__(self, app: ASGIApp, *, quiet: Collection[str] = ()) -> None:
        self.app = app
        self.quiet = quiet
        self.log = logs.get(
            __name__
        ).bind()  # once: this takes longer than all the rest of a request's line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, in its trace, and tell how it went, also when it failed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] in UNTOLD:
            await self._passed(scope, receive, send, TraceSpan(""))
        else:
            brought = header(scope, b"traceparent")
            with start_span(scope["method"], brought, kind=SpanKind.SERVER) as span:
                scope["traceparent"] = span.traceparent
                await self._passed(scope, receive, send, span)

    async def _passed(self, scope: Scope, receive: Receive, send: Send, span: TraceSpan) -> None:
        status: int | None = None

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = perf_counter()
        try:
            await self.app(scope, receive, noticed)
            status = status or GONE
        finally:
            self._tell(scope, status or 500, perf_counter() - started, span)

    def _tell(self, scope: Scope, status: int, seconds: float, span: TraceSpan) -> None:
        method, route = scope["method"], getattr(scope.get("route"), "path", "unknown")
        _seconds(method, route, status).observe(seconds)
        if route in UNTOLD:
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
