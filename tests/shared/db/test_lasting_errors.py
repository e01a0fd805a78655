"""A database error that will not pass is seen by somebody: it ends the relay, and a watch counts it and looks on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import utc_now
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging.relay import relay
from shared.process.periodic import watching
from tests.damage import TOO_LARGE, refuse_writes, run_statement, stop_after_patience
from tests.engine import PATIENCE_S, append_to_outbox, events

pytestmark = pytest.mark.postgres


def refuse_marks(sessions: Sessions) -> None:
    """When a row is marked as published."""
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


@pytest.mark.parametrize("sqlstate", [TOO_LARGE, "42P01", "22012"])
def test_a_watch_counts_what_is_no_outage_and_looks_on(sessions: Sessions, sqlstate: str) -> None:
    """Its thread would end otherwise, and the gauges would keep their last values with nobody to notice."""
    statement = (
        f"do $$ begin raise exception 'ada@acme.example' using errcode = '{sqlstate}'; end $$"
    )
    stop, looks, before = Event(), list[int](), failures()

    def look() -> None:
        looks.append(len(looks))
        if len(looks) == 3:
            stop.set()
        else:
            run_statement(sessions, statement)

    with structlog.testing.capture_logs() as lines:
        watching("test", look, stop, every_s=0.01).join(PATIENCE_S)

    assert looks == [0, 1, 2]
    assert failures() == before + 2
    assert [(it["event"], it["log_level"]) for it in lines] == [
        ("a look around failed", "error")
    ] * 2
    assert all(sqlstate in it["error"] and "ada" not in it["error"] for it in lines)


def test_an_outage_is_no_failure_of_a_watch(sessions: Sessions) -> None:
    stop, before = Event(), failures()

    def look() -> None:
        stop.set()
        with sessions() as session:
            session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with structlog.testing.capture_logs() as lines:
        watching("test", look, stop).join(PATIENCE_S)

    assert failures() == before
    assert [it["log_level"] for it in lines] == ["warning"]


def failures() -> float:
    return REGISTRY.get_sample_value("leadbaton_watch_failures_total", {"watch": "test"}) or 0.0
