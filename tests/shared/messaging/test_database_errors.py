"""A database error that will not pass ends the worker, wherever it is raised; it is not waited out like an outage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError

from shared.clock import utc_now
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.consumer import Subscription, consume
from tests.damage import TOO_LARGE, refuse_writes, run_statement, stop_after_patience
from tests.engine import Ledger, events

pytestmark = pytest.mark.postgres


def lose_offsets(sessions: Sessions) -> None:
    run_statement(sessions, "alter table messaging.offsets rename to elsewhere")


def refuse_offsets(sessions: Sessions) -> None:
    """The error comes when the offsets are moved, after the handler has done its work."""
    refuse_writes(sessions, "messaging.offsets", "update")


@pytest.mark.parametrize(
    ("damage", "sqlstate"),
    [(lose_offsets, "42P01"), (refuse_offsets, TOO_LARGE)],
    ids=["reading offsets", "moving offsets"],
)
def test_an_error_outside_a_handler_that_is_no_outage_ends_the_worker(
    sessions: Sessions,
    broker: KafkaConfig,
    producer: Producer,
    ledger: Ledger,
    damage: Callable[[Sessions], None],
    sqlstate: str,
) -> None:
    damage(sessions)
    producer.send_all(events(3))

    with stop_after_patience() as stop, pytest.raises(DBAPIError) as error:
        consume(
            SCORING,
            [Subscription(MARKETING_EVENTS, ledger)],
            config=broker,
            sessions=sessions,
            time_source=utc_now,
            stop=stop,
        )

    assert getattr(error.value.orig, "sqlstate", None) == sqlstate
    assert ledger.effect_counts() == {}
