"""A worker that a bug has ended reads again once the bug is fixed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from shared.clock import utc_now
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.batch import DEAD_LETTER_LIMIT
from shared.messaging.consumer import Subscription, Tick, consume
from tests.engine import PATIENCE_S, Ledger, events, ids, running_worker

pytestmark = pytest.mark.postgres


class Fault(Exception):
    """What a bug raises."""


def test_a_worker_that_exceptions_have_ended_reads_once_the_bug_is_fixed(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    """It ends in its first turn, before it has joined the group, and later, when it reads."""
    producer.send_all(events(DEAD_LETTER_LIMIT))

    def broken(_session: Session, _now: datetime) -> None:
        raise Fault

    def refusing(*_: object) -> None:
        raise Fault

    for _ in range(2):
        with pytest.raises(Fault):
            run_worker(sessions, broker, ledger, tick=broken)
    with pytest.raises(SystemExit):
        run_worker(sessions, broker, refusing)
    with running_worker(sessions, broker, ledger):
        ledger.wait_for(ids(DEAD_LETTER_LIMIT))


def run_worker(
    sessions: Sessions,
    config: KafkaConfig,
    handle: Callable[[Session, Sequence[Message[MarketingEvent]], datetime], None],
    *,
    tick: Tick | None = None,
) -> None:
    """Run a scoring worker in this thread until it ends by itself, or for PATIENCE_S."""
    stop = threading.Event()
    timer = threading.Timer(PATIENCE_S, stop.set)
    timer.start()
    try:
        consume(
            SCORING,
            [Subscription(MARKETING_EVENTS, handle)],
            config=config,
            sessions=sessions,
            time_source=utc_now,
            stop=stop,
            tick=tick,
        )
    finally:
        timer.cancel()
