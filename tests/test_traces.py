"""Tests that one trace runs from the HTTP request through all three services to the webhook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.routing.handlers import on_leads_qualified
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import RepeatCheck
from services.scoring.main import marketing_events_handler
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from shared.agreement.store import Policies
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.contracts.codec import P
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message, Outgoing, Record, Topic
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, MARKETING_EVENTS, SLA_CHANGED
from shared.db.session import Sessions
from shared.process.tracing import trace_id
from tests.engine import announcements
from tests.services.routing.delivery.post import Post
from tests.services.routing.delivery.receiver import receiving
from tests.services.scoring.ingest.conftest import Broker, api

pytestmark = pytest.mark.postgres

TRACE, CLIENT = "a" * 32, "c" * 16


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """An exporter that keeps all spans; the provider can be set only once a process, and later tests use it too."""
    span_exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(span_exporter))
    trace.set_tracer_provider(provider)
    yield span_exporter
    span_exporter.shutdown()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    """The exporter without earlier spans."""
    exporter.clear()
    return exporter


def test_one_trace_from_the_post_to_the_webhook(
    sessions: Sessions, spans: InMemorySpanExporter
) -> None:
    with receiving() as receiver:
        post = Post(sessions, receiver)

        messages = post_event(sessions, {"traceparent": f"00-{TRACE}-{CLIENT}-01"})
        with sessions.begin() as session:
            marketing_events_handler(Policies(ScoringPolicy), RepeatCheck())(
                session, messages, utc_now()
            )
        with sessions.begin() as session:
            qualified = announcements(sessions, LEADS_QUALIFIED)
            on_leads_qualified(session, qualified, utc_now(), assigner=post.assigner)
        with sessions.begin() as session:
            changed = announcements(sessions, HANDOFFS_CHANGED)
            on_handoffs_changed(session, changed, utc_now(), policies=Policies(SlaPolicy))
        post.run(until=1)

        [webhook] = receiver.got
    chain = [
        only_span(spans, "POST /v1/events"),
        only_span(spans, "lead became"),
        only_span(spans, "webhook handoff.assigned"),
    ]
    assert parents(chain) == [CLIENT, *(id_of(it) for it in chain[:-1])]
    assert webhook.headers["traceparent"] == f"00-{TRACE}-{id_of(chain[-1])}-01"
    assigned = only_span(spans, "handoff assigned")
    assert parents([assigned]) == [id_of(chain[1])]
    [started] = parents(spans_named(spans, "clock started"))
    assert started == id_of(assigned)
    assert {trace_id(it.traceparent) for it in announcements(sessions, SLA_CHANGED)} == {TRACE}
    assert {trace_of(it) for it in spans.get_finished_spans()} == {TRACE}


def test_a_post_without_a_trace_begins_one(sessions: Sessions, spans: InMemorySpanExporter) -> None:
    [message] = post_event(sessions, {})

    span = only_span(spans, "POST /v1/events")
    assert span.parent is None
    assert trace_id(message.traceparent) == trace_of(span)
    assert (span.attributes or {})["http.response.status_code"] == 200


def test_probes_are_not_traced(sessions: Sessions, spans: InMemorySpanExporter) -> None:
    with TestClient(api(sessions, Broker())) as client:
        assert client.get("/healthz").status_code == 200

    assert spans.get_finished_spans() == ()


def post_event(sessions: Sessions, headers: dict[str, str]) -> list[Message[MarketingEvent]]:
    """Post an event over HTTP; the messages that it puts on the topic."""
    broker = Broker()
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="site", now=utc_now())
    event = {
        "id": "1",
        "type": "demo_requested",
        "time": utc_now().isoformat(),
        "lead": {"email": "ada@example.com"},
        "traits": {"country": "DE"},
    }
    with TestClient(api(sessions, broker, time_source=utc_now)) as client:
        answer = client.post(
            "/v1/events", json=event, headers={"authorization": f"Bearer {key}", **headers}
        )
    assert answer.status_code == 200, answer.text
    return list(map(partial(decoded, MARKETING_EVENTS), broker.records))


def decoded(topic: Topic[P], record: Outgoing) -> Message[P]:
    """The record as a decoded message."""
    return topic.decode(Record(record.topic, 0, 0, record.key, record.value, record.headers))


def spans_named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [it for it in spans.get_finished_spans() if it.name == name]


def only_span(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    """The only span of this name."""
    [span] = spans_named(spans, name)
    return span


def parents(chain: Sequence[ReadableSpan]) -> list[str]:
    """The parent id of each span."""
    return [f"{it.parent.span_id:016x}" if it.parent else "none" for it in chain]


def id_of(span: ReadableSpan) -> str:
    return f"{context_of(span).span_id:016x}"


def trace_of(span: ReadableSpan) -> str:
    return f"{context_of(span).trace_id:032x}"


def context_of(span: ReadableSpan) -> trace.SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context
