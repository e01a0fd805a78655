"""Traces: one trace id from the HTTP post to the webhook (W3C trace context), a span at each hop (OpenTelemetry).

While nobody exports spans none are made; a hop then only costs the id that the next one gets as its parent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from secrets import token_hex

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags

from shared.process import logs

__all__ = ["SpanKind", "TraceSpan", "child_of", "export", "start_span", "trace_id"]

log = logs.get(__name__)

Facts = Mapping[str, str | int | float]
"""What a span says: ids and counts, no personal data."""

NOTHING: Facts = {}
EXPORTERS = "opentelemetry_traces_exporter"
"""The group of entry points by which OpenTelemetry finds exporters."""
_OTLP = {"http/protobuf": ("otlp_proto_http",), "grpc": ("otlp_proto_grpc",)}
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = "01"
_tracer = trace.get_tracer("leadbaton")


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """Where a trace is now: what the next hop gets as its parent, and the span, if spans are made."""

    traceparent: str
    span: trace.Span = trace.INVALID_SPAN

    def note(self, facts: Facts, *, name: str | None = None) -> None:
        """Say more, once it is known; perhaps under a better name."""
        if self.span.is_recording():
            self.span.set_attributes(facts)
            if name is not None:
                self.span.update_name(name)

    def fail(self, why: str) -> None:
        """Mark the hop as one that went wrong."""
        self.span.set_status(StatusCode.ERROR, why)


def child_of(
    traceparent: str | None, name: str, *, since: datetime | None = None, facts: Facts = NOTHING
) -> str:
    """The traceparent of a message that is written now, in the trace of what caused it.

    A new trace if there is none, or if it makes no sense. Its span lasts from `since` to now.
    """
    if not _recorded():
        return _continued(traceparent)
    with start_span(name, traceparent, kind=SpanKind.PRODUCER, since=since, facts=facts) as made:
        return made.traceparent


def start_span(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind,
    since: datetime | None = None,
    facts: Facts = NOTHING,
) -> AbstractContextManager[TraceSpan]:
    """A hop that lasts as long as the block, or since an instant before it."""
    if not _recorded():
        return nullcontext(TraceSpan(_continued(parent)))
    span = _tracer.start_span(
        name,
        context=_context(parent),
        kind=kind,
        attributes=facts,
        start_time=round(since.timestamp() * 1e9) if since is not None else None,
    )
    return _spanned(span)


@contextmanager
def _spanned(span: trace.Span) -> Iterator[TraceSpan]:
    with trace.use_span(span, end_on_exit=True):
        yield TraceSpan(_traceparent(span.get_span_context()), span)


def trace_id(traceparent: str | None) -> str | None:
    """The part that all hops share, for log lines; None if there is none."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return match[1] if match else None


def export(service: str) -> None:
    """Make spans from now on and send them where the standard OTEL_* variables say, if they say so.

    OTEL_TRACES_EXPORTER names the exporter; an OTLP endpoint alone means `otlp`. An exporter that is not
    installed is told in the log and makes nothing worse.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    exporters = [it for name in _exporter_names() for it in _installed(name)]
    if not exporters:
        return
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - 60 ms that only spans are worth
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    os.environ.setdefault("OTEL_SERVICE_NAME", f"leadbaton-{service}")
    provider = TracerProvider()
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter.load()()))
    trace.set_tracer_provider(provider)


def _exporter_names() -> list[str]:
    names_text = os.environ.get("OTEL_TRACES_EXPORTER")
    if names_text is None:
        endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        names_text = "otlp" if any(os.environ.get(it) for it in endpoints) else "none"
    return [it.strip() for it in names_text.split(",") if it.strip() not in ("", "none")]


def _installed(name: str) -> list[EntryPoint]:
    """The exporter of this name; of `otlp`, in the protocol that is asked for or else one that is there."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    either = ("otlp_proto_http", "otlp_proto_grpc")
    names = _OTLP.get(protocol, either) if name == "otlp" else (name,)
    installed = [it for each in names for it in entry_points(group=EXPORTERS, name=each)]
    if not installed:
        log.warning("no such exporter of traces is installed", exporter=name)
    return installed[:1]


def _recorded() -> bool:
    """Whether somebody wants spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _continued(traceparent: str | None) -> str:
    """A new span id in the same trace, or in a new one."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        ids = token_hex(24)
        return f"00-{ids[:32]}-{ids[32:]}-{_SAMPLED}"
    return f"00-{match[1]}-{token_hex(8)}-{match[3]}"


def _context(traceparent: str | None) -> Context:
    """The parent as OpenTelemetry wants it; nothing if it makes no sense."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return Context()
    parent = SpanContext(
        int(match[1], 16),
        int(match[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match[3], 16)),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
