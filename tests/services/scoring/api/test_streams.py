"""The stream of events shows ops what comes in and who qualifies, and tells nothing of the people."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from services.scoring.main import STREAMED, build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.topics import LEADS_QUALIFIED, MARKETING_EVENTS
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.messaging import outbox
from tests.builders import NOON, lead_qualified, marketing_event, outgoing
from tests.engine import PATIENCE_S
from tests.event_streams import streaming, streaming_api
from tests.loopback import NO_TLS
from tests.services.scoring.api.conftest import RefusingPublisher

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(sessions: Sessions, broker: KafkaConfig) -> Iterator[str]:
    """The URL of the stream."""
    app = build_api(sessions, publisher=RefusingPublisher(), time_source=lambda: NOON)
    with streaming_api(app, STREAMED, sessions, broker) as url:
        yield f"{url}/v1/events/stream"


def key(sessions: Sessions, scope: KeyScope) -> str:
    with sessions.begin() as session:
        return create_key(session, scope=scope, subject="grace", now=NOON)


def test_events_and_qualifications_are_streamed_without_personal_data(
    sessions: Sessions, url: str
) -> None:
    event = marketing_event("demo_requested", id="e-1", properties={"message": "call ada"})
    lead = lead_qualified()
    with streaming(url, key(sessions, KeyScope.OPS)) as stream:
        stream.next_of("start")
        with sessions.begin() as session:
            outbox.append(
                session, [outgoing(MARKETING_EVENTS, event), outgoing(LEADS_QUALIFIED, lead)]
            )
        names = (MARKETING_EVENTS.name, LEADS_QUALIFIED.name)
        streamed = {it.name: it.data for it in (stream.next_of(*names), stream.next_of(*names))}

    assert streamed == {
        MARKETING_EVENTS.name: {
            "source": "website",
            "id": "e-1",
            "type": "demo_requested",
            "time": "2026-11-18T12:00:00+00:00",
            "received_at": "2026-11-18T12:00:00+00:00",
            "marks": [],
        },
        LEADS_QUALIFIED.name: {
            "lead_id": str(lead.lead_id),
            "qualification": 1,
            "change": "became",
            "at": "2026-11-18T12:00:00+00:00",
            "tier": "standard",
            "cause": "hand_raise",
        },
    }


def test_reps_get_no_stream_of_events(sessions: Sessions, url: str) -> None:
    headers = {"authorization": f"Bearer {key(sessions, KeyScope.REP)}"}
    assert (
        httpx.get(url, headers=headers, timeout=PATIENCE_S, verify=NO_TLS).json()["code"]
        == "wrong_scope"
    )
