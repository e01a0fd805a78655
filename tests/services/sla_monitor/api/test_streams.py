"""The stream of clocks shows a breach within a second, to ops and to the rep whose clock it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from services.sla_monitor.handlers.excerpts import clock_excerpts
from services.sla_monitor.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import ClockChange
from shared.contracts.topics import SLA_CHANGED
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.messaging import outbox
from shared.messaging.feed import FeedTopic
from tests.builders import NOON, outgoing, sla_changed
from tests.event_streams import streaming, streaming_api

pytestmark = pytest.mark.postgres
TOPIC = SLA_CHANGED.name


@pytest.fixture
def url(sessions: Sessions, broker: KafkaConfig) -> Iterator[str]:
    """The URL of the stream."""
    app = build_api(sessions, time_source=lambda: NOON)
    topics = [FeedTopic(SLA_CHANGED, clock_excerpts)]
    with streaming_api(app, topics, sessions, broker) as url:
        yield f"{url}/v1/sla/stream"


def key(sessions: Sessions, scope: KeyScope, subject: str) -> str:
    with sessions.begin() as session:
        return create_key(session, scope=scope, subject=subject, now=NOON)


def test_a_breach_is_streamed_within_a_second_to_those_who_may_see_it(
    sessions: Sessions, url: str
) -> None:
    changes = [
        sla_changed(rep="grace"),
        sla_changed(ClockChange.STARTED, lead="bob", rep=None, team="sales"),
        sla_changed(lead="cem", rep="linus"),
    ]
    reader = streaming(url, key(sessions, KeyScope.READ, "board"))
    linus = streaming(url, key(sessions, KeyScope.REP, "linus"))
    with reader as reader_stream, linus as linus_stream:
        reader_stream.next_of("start")
        linus_stream.next_of("start")
        began_s = time.monotonic()
        with sessions.begin() as session:
            outbox.append(session, [outgoing(SLA_CHANGED, it) for it in changes])
        streamed = [reader_stream.next_of(TOPIC).data for _ in changes]
        assert time.monotonic() - began_s < 1
        own = linus_stream.next_of(TOPIC).data

    assert sorted((it["change"], it.get("rep")) for it in streamed if it.get("rep")) == [
        ("breached", "grace"),
        ("breached", "linus"),
    ]
    assert (own["change"], own["rep"], own["clock_id"]) == (
        "breached",
        "linus",
        str(changes[2].clock_id),
    )
