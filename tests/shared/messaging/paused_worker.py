"""A worker that a test pauses in the middle of a batch: `python -m tests.shared.messaging.paused_worker`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from shared.clock import utc_now
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import engine_for, sessions_on
from shared.messaging import metrics
from shared.messaging.consumer import Subscription, consume
from tests.conftest import config_at
from tests.engine import Ledger


def main(url: str, bootstrap: str) -> None:
    sessions = sessions_on(engine_for(url))
    ledger = Ledger(sessions)
    stop = threading.Event()

    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        report("handling")
        sys.stdin.readline()

    def tick(_session: Session, _now: datetime) -> None:
        if metrics.FENCED.labels(SCORING)._value.get():
            stop.set()

    consume(
        SCORING,
        [Subscription(MARKETING_EVENTS, handle)],
        config=config_at(bootstrap),
        sessions=sessions,
        time_source=utc_now,
        stop=stop,
        tick=tick,
    )
    report("fenced")


def report(state: str) -> None:
    """Write the state to stdout, where the test reads it."""
    sys.stdout.write(f"{state}\n")
    sys.stdout.flush()


main(*sys.argv[1:])
