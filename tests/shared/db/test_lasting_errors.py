"""Tests that a lasting error of the database ends the relay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError

from shared.clock import utc_now
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.relay import relay
from tests.damage import TOO_LARGE, refuse_writes, run_statement, stop_after_patience
from tests.engine import append_to_outbox, events

pytestmark = pytest.mark.postgres


def refuse_marks(sessions: Sessions) -> None:
    """The statement that marks a row as published fails."""
    refuse_writes(sessions, "messaging.outbox", "update")


def lose_a_column(sessions: Sessions) -> None:
    run_statement(sessions, "alter table messaging.outbox rename column published_at to elsewhere")


@pytest.mark.parametrize(
    ("damage", "sqlstate"),
    [(refuse_marks, TOO_LARGE), (lose_a_column, "42703")],
    ids=["too large", "no column"],
)
def test_an_error_that_is_no_outage_ends_the_relay(
    sessions: Sessions,
    broker: KafkaConfig,
    producer: Producer,
    damage: Callable[[Sessions], None],
    sqlstate: str,
) -> None:
    append_to_outbox(sessions, events(1))
    damage(sessions)

    with stop_after_patience() as stop, pytest.raises(DBAPIError) as error:
        relay(sessions, producer, config=broker, stop=stop, time_source=utc_now)

    assert getattr(error.value.orig, "sqlstate", None) == sqlstate
