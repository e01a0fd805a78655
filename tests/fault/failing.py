"""A scoring worker whose handler has a fault: `python -m tests.fault.failing record|type|everything`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import RepeatCheck, on_handoffs_changed
from services.scoring.main import marketing_events_handler
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import HANDOFFS_CHANGED, MARKETING_EVENTS, SCORING
from shared.db.session import engine_for, sessions_on
from shared.http import probes
from shared.http.probes import Probes
from shared.kafka import config
from shared.messaging.consumer import Subscription, consume
from shared.process.lifecycle import stop_on_signals
from shared.process.settings import Settings
from tests.fault.stream import WEBINAR


class Fault(Exception):
    """The exception of a bug."""


def fails(mode: str, event: MarketingEvent) -> bool:
    """Whether the handler fails for this event."""
    match mode:
        case "record":
            return is_bad(event.id)
        case "type":
            return event.type == WEBINAR
    return True


def is_bad(id: str) -> bool:
    """Whether this is the one event of one person in fifty that fails."""
    _, person, step = id.split("/")
    return int(person) % 50 == 11 and step == "3"


def main(mode: str) -> None:
    settings = Settings()
    stop = stop_on_signals()
    sessions = sessions_on(engine_for(settings.database_url))
    Probes().start(settings.probe_port, {"database": probes.database_check(sessions)})
    policies = Policies(ScoringPolicy)
    score = marketing_events_handler(policies, RepeatCheck())

    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        score(session, messages, now)
        for message in messages:
            if fails(mode, message.payload):
                raise Fault(message.payload.id)

    consume(
        SCORING,
        [
            Subscription(MARKETING_EVENTS, handle),
            Subscription(HANDOFFS_CHANGED, partial(on_handoffs_changed, policies=policies)),
        ],
        config=config.of(settings),
        sessions=sessions,
        time_source=utc_now,
        stop=stop,
        member=settings.worker_name,
    )


if __name__ == "__main__":
    main(sys.argv[1])
