"""Traces: one trace id from the HTTP request to the webhook (W3C Trace Context), and a span at each hop.

Without an exporter of OpenTelemetry no spans are made; each hop then only gets a new id as parent of the next.
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
"""Attributes of a span: ids and counts, no personal data."""

NO_FACTS: Facts = {}
EXPORTERS = "opentelemetry_traces_exporter"
"""The group of entry points under which exporters are installed."""
_OTLP = {"http/protobuf": ("otlp_proto_http",), "grpc": ("otlp_proto_grpc",)}
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = "01"
_tracer = trace.get_tracer("leadbaton")


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One hop of a trace: the traceparent for the next hop, and the span, where spans are made."""

    traceparent: str
    span: trace.Span = trace.INVALID_SPAN

    def note(self, facts: Facts, *, name: str | None = None) -> None:
        """Add attributes to the span, and replace its name if one is passed."""
        if self.span.is_recording():
            self.span.set_attributes(facts)
            if name is not None:
                self.span.update_name(name)

    def fail(self, reason: str) -> None:
        """Mark the span as failed."""
        self.span.set_status(StatusCode.ERROR, reason)


def child_of(
    traceparent: str | None, name: str, *, since: datetime | None = None, facts: Facts = NO_FACTS
) -> str:
    """The traceparent for a message that is written now, as a child of the trace of its cause.

    A new trace begins where `traceparent` is missing or invalid. The span lasts from `since` to now.
    """
    if not _are_spans_made():
        return _continued(traceparent)
    with start_span(name, traceparent, kind=SpanKind.PRODUCER, since=since, facts=facts) as span:
        return span.traceparent


def start_span(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind,
    since: datetime | None = None,
    facts: Facts = NO_FACTS,
) -> AbstractContextManager[TraceSpan]:
    """A span that lasts from `since`, or from the start of the block, to the end of the block."""
    if not _are_spans_made():
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
    """The trace id of a traceparent, for log lines, or None where it has none."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return match[1] if match else None


def export(service: str) -> None:
    """Make spans from now on and export them as the standard OTEL_* variables say; without these do nothing.

    OTEL_TRACES_EXPORTER names the exporter; an OTLP endpoint alone means `otlp`. An exporter that is not
    installed is logged as a warning.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    exporters = [it for name in _exporter_names() for it in _installed(name)]
    if not exporters:
        return
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - takes 60 ms
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
    """The installed exporter of this name. For `otlp` the protocol may be set; else any installed one is taken."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    either = ("otlp_proto_http", "otlp_proto_grpc")
    names = _OTLP.get(protocol, either) if name == "otlp" else (name,)
    installed = [it for each in names for it in entry_points(group=EXPORTERS, name=each)]
    if not installed:
        log.warning("the exporter of traces is not installed", exporter=name)
    return installed[:1]


def _are_spans_made() -> bool:
    """Whether a tracer provider is set, that is, whether spans are exported."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _continued(traceparent: str | None) -> str:
    """The traceparent with a new span id, in a new trace where it is missing or invalid."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        ids = token_hex(24)
        return f"00-{ids[:32]}-{ids[32:]}-{_SAMPLED}"
    return f"00-{match[1]}-{token_hex(8)}-{match[3]}"


def _context(traceparent: str | None) -> Context:
    """The parent as a context of OpenTelemetry, which is empty where the traceparent is invalid."""
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
