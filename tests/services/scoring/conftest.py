"""Scoring's worker under a published agreement."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import RepeatCheck, on_handoffs_changed, review_leads
from services.scoring.main import marketing_events_handler
from shared.agreement.store import Policies, publish
from shared.contracts.codec import P
from shared.contracts.payloads import HandoffChanged, LeadQualified, LeadsMerged, MarketingEvent
from shared.contracts.topic import Record, Topic
from shared.contracts.topics import (
    HANDOFFS_CHANGED,
    LEADS_MERGED,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    MARKETING_EVENTS,
)
from shared.contracts.touches import LeadTouched
from shared.db.tables import outbox
from shared.messaging.outbox import decoded_headers
from tests.builders import DEFAULT_SECTIONS, NOON, message, record


class Worker:
    """The handlers of scoring's worker on one session, without Kafka."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.policies = Policies(ScoringPolicy)
        self.repeat_check = RepeatCheck()

    def publish(self, **sections: Any) -> int:
        """Publish the tests' agreement with these sections replaced; returns its version."""
        source = json.dumps({**DEFAULT_SECTIONS, **sections})
        return publish(self.session, source, by="test", now=NOON).version

    def take(self, *events: MarketingEvent, now: datetime = NOON) -> None:
        """Handle the events as one batch."""
        messages = [MARKETING_EVENTS.decode(record(MARKETING_EVENTS, it)) for it in events]
        handle = marketing_events_handler(self.policies, self.repeat_check)
        handle(self.session, messages, now)

    def follow(self, *changes: HandoffChanged, now: datetime = NOON) -> None:
        """Handle these changes of handoffs as one batch."""
        messages = [message(HANDOFFS_CHANGED, it) for it in changes]
        on_handoffs_changed(self.session, messages, now, policies=self.policies)

    def review_leads(self, now: datetime) -> bool:
        """What the worker does once a second, and at once again if this is true."""
        return review_leads(self.session, now, policies=self.policies)

    def announced(self) -> list[LeadQualified]:
        """The announced qualifications, in order."""
        return announced(self.session)

    def touched(self) -> list[LeadTouched]:
        """The announced touches, in order."""
        return payloads_in_outbox(self.session, LEADS_TOUCHED)

    def merges(self) -> list[LeadsMerged]:
        """The announced merges, in order."""
        return payloads_in_outbox(self.session, LEADS_MERGED)


def announced(session: Session) -> list[LeadQualified]:
    """The qualifications in the outbox, in order."""
    return payloads_in_outbox(session, LEADS_QUALIFIED)


def payloads_in_outbox(session: Session, topic: Topic[P]) -> list[P]:
    """The payloads of a topic in the outbox, in order."""
    rows = session.execute(
        select(outbox.c.key, outbox.c.value, outbox.c.headers)
        .where(outbox.c.topic == topic.name)
        .order_by(outbox.c.id)
    )
    return [
        topic.decode(
            Record(topic.name, 0, 0, row.key, row.value, decoded_headers(row.headers))
        ).payload
        for row in rows
    ]


@pytest.fixture
def worker(session: Session) -> Worker:
    """A worker under the tests' agreement, in a session that is rolled back."""
    worker = Worker(session)
    worker.publish()
    return worker
