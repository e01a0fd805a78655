"""How far the installation is behind, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.topics import HANDOFFS_CHANGED, MARKETING_EVENTS, SCORING, SLA
from shared.db.session import Sessions
from shared.messaging.stored_lag import TopicLag, save_lags
from tests.builders import NOON

pytestmark = pytest.mark.postgres


def add_dead_letters_and_a_row(session: Session) -> None:
    """Add three dead letters, and a row of the outbox that is not published."""
    session.execute(
        text(
            "insert into messaging.dead_letters "
            "(consumer_group, topic, topic_id, partition, log_offset, headers, code, reason, attempts) "
            "select 'g', 't', gen_random_uuid(), 0, n, '[]', 'unknown_version', 'why', 1 "
            "from generate_series(1, 3) as n"
        )
    )
    session.execute(text("insert into messaging.outbox (topic, headers) values ('t', '[]')"))


def test_what_waits_what_failed_and_who_is_behind(sessions: Sessions) -> None:
    measured = [
        TopicLag(SLA, HANDOFFS_CHANGED.name, 12, NOON - timedelta(seconds=40), NOON),
        TopicLag(SCORING, MARKETING_EVENTS.name, 0, None, NOON),
    ]
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.READ, subject="board", now=NOON)
        save_lags(session, [])
        save_lags(session, [TopicLag(SLA, HANDOFFS_CHANGED.name, 99, NOON, NOON)])
        save_lags(session, measured)
        add_dead_letters_and_a_row(session)
    client = TestClient(build_api(sessions, time_source=lambda: NOON))

    got = client.get("/v1/health", headers={"authorization": f"Bearer {key}"}).json()

    assert got["outbox"]["unpublished"] == 1
    assert got["dead_letters"] == [{"topic": "t", "code": "unknown_version", "count": 3}]
    at = "2026-11-18T12:00:00Z"
    assert got["lags"] == [
        {
            "group": SCORING,
            "topic": MARKETING_EVENTS.name,
            "records": 0,
            "oldest_s": 0.0,
            "measured_at": at,
        },
        {
            "group": SLA,
            "topic": HANDOFFS_CHANGED.name,
            "records": 12,
            "oldest_s": 40.0,
            "measured_at": at,
        },
    ]
