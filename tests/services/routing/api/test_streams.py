"""The stream of handoffs shows ops every change, and a rep those of the rep's own handoffs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from services.routing.handlers import handoff_excerpts
from services.routing.main import build_api
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.kafka.config import KafkaConfig
from shared.messaging.feed import FeedTopic
from tests.engine import PATIENCE_S
from tests.event_streams import StreamedEvent, streaming, streaming_api
from tests.loopback import NO_TLS
from tests.services.routing.client import NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(client: RoutingClient, broker: KafkaConfig) -> Iterator[str]:
    """The URL of the stream; Ada is with Grace."""
    app = build_api(client.sessions, time_source=lambda: NOW)
    topics = [FeedTopic(HANDOFFS_CHANGED, handoff_excerpts)]
    with streaming_api(app, topics, client.sessions, broker) as url:
        yield f"{url}/v1/handoffs/stream"


def brief(event: StreamedEvent) -> tuple[str, str, str | None, int]:
    """The topic, the change, and the rep and the hop after it."""
    return event.name, event.data["change"], event.data.get("rep"), event.data["hop"]


def test_a_change_is_streamed_to_ops_and_to_the_reps_whom_it_concerns(
    client: RoutingClient, url: str
) -> None:
    hire_linus(client)
    with ExitStack() as stack:
        ops, grace, linus = (
            stack.enter_context(streaming(url, client.key(it))) for it in ("ops", "grace", "linus")
        )
        for stream in (ops, grace, linus):
            stream.next_of("start")
        client.say("accept")
        client.say("reassign", {"hop": 1, "reason": "on leave"}, by="ops")
        client.say("accept", by="linus")

        topic = HANDOFFS_CHANGED.name
        assert [brief(ops.next_of(topic)) for _ in range(3)] == [
            (topic, "accepted", "grace", 1),
            (topic, "reassigned", "linus", 2),
            (topic, "accepted", "linus", 2),
        ]
        assert brief(grace.next_of(topic)) == (topic, "accepted", "grace", 1)
        lost = grace.next_of(topic)
        assert brief(lost) == (topic, "reassigned", None, 1)
        assert "linus" not in str(lost.data)
        assert brief(linus.next_of(topic)) == (topic, "reassigned", "linus", 2)
        assert brief(linus.next_of(topic)) == (topic, "accepted", "linus", 2)


def test_a_rep_resumes_where_the_stream_was_cut(client: RoutingClient, url: str) -> None:
    with streaming(url, client.key("grace")) as stream:
        stream.next_of("start")
        client.say("accept")
        last = stream.next_of(HANDOFFS_CHANGED.name)
    client.say("contact", {"channel": "phone", "outcome": "reached"})

    with streaming(url, client.key("grace"), last.id) as stream:
        event = stream.next_of(HANDOFFS_CHANGED.name)
        assert brief(event) == (HANDOFFS_CHANGED.name, "contacted", "grace", 1)


def test_a_key_that_may_not_read_gets_no_stream(client: RoutingClient, url: str) -> None:
    headers = {"authorization": f"Bearer {client.key('web')}"}
    assert (
        httpx.get(url, headers=headers, timeout=PATIENCE_S, verify=NO_TLS).json()["code"]
        == "wrong_scope"
    )
    assert httpx.get(url, timeout=PATIENCE_S, verify=NO_TLS).json()["code"] == "unknown_key"
