"""A database error that will not pass ends the worker, wherever it is raised; it is not waited out like an outage."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import utc_now
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.consumer import Subscription, consume
from shared.kafka.producer import Producer
from tests.engine import PATIENCE_S, Ledger, events

pytestmark = pytest.mark.postgres

UNDEFINED_TABLE = "alter table messaging.offsets rename to elsewhere"
TOO_LARGE = """
    create function messaging.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'too large' using errcode = '54000'; end $$;
    create trigger refuse before update on messaging.offsets for each row execute function messaging.refuse()
"""
"""While offsets are moved, after the handler has done its work. psycopg calls class 54 operational."""


@pytest.mark.parametrize(
    ("damage", "sqlstate"),
    [(UNDEFINED_TABLE, "42P01"), (TOO_LARGE, "54000")],
    ids=["where to begin", "how far it is"],
)
def test_an_error_outside_a_handler_that_is_no_outage_ends_the_worker(
    sessions: Sessions,
    broker: KafkaConfig,
    producer: Producer,
    ledger: Ledger,
    damage: str,
    sqlstate: str,
) -> None:
    with sessions.begin() as session:
        session.execute(text(damage))
    producer.send_all(events(3))
    stop = threading.Event()
    too_late = threading.Timer(PATIENCE_S, stop.set)
    too_late.start()

    with pytest.raises(DBAPIError) as error:
        consume(
            SCORING,
            [Subscription(MARKETING_EVENTS, ledger)],
            config=broker,
            sessions=sessions,
            clock=utc_now,
            stop=stop,
        )

    too_late.cancel()
    assert getattr(error.value.orig, "sqlstate", None) == sqlstate
    assert ledger.done() == {}
