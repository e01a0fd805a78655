"""The sweep fires clocks on time, sleeps between them, and survives outages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from services.sla_monitor.handlers.due_clocks import ALWAYS, BATCH
from services.sla_monitor.sweep import LONGEST_SLEEP, Sweeper, sweep
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.messaging import outbox
from tests.builders import an_id
from tests.services.sla_monitor.builders import (
    DUE_CLOCK,
    announced_breaches,
    announced_changes,
    due,
    minutes_after_noon,
    store,
)

pytestmark = pytest.mark.postgres


def test_what_is_older_than_the_low_water_mark_waits_for_the_full_sweep(sessions: Sessions) -> None:
    now = minutes_after_noon(90)
    sweeper = Sweeper(sessions, time_source=lambda: now)
    assert (sweeper.low, sweeper.sweep()) == (ALWAYS, 0)
    store(sessions, due(1))
    assert sweeper.low > DUE_CLOCK.due_at
    assert sweeper.sweep() == 0
    now += timedelta(seconds=30)
    assert sweeper.sweep() == 1


def test_a_sweeper_looks_back_as_far_as_it_is_notified(sessions: Sessions) -> None:
    sweeper = Sweeper(sessions, time_source=lambda: minutes_after_noon(90))
    sweeper.sweep()
    store(sessions, due(1))
    sweeper.look_back_to(DUE_CLOCK.warn_at)
    assert sweeper.sweep() == 1


def test_a_sweeper_rests_until_the_next_is_due_and_at_most_a_second(sessions: Sessions) -> None:
    now = minutes_after_noon(0)
    sweeper = Sweeper(sessions, time_source=lambda: now)
    assert (sweeper.sweep(), sweeper.rest()) == (0, LONGEST_SLEEP)
    store(sessions, due(1))
    assert (sweeper.sweep(), sweeper.rest()) == (0, LONGEST_SLEEP)
    now = DUE_CLOCK.warn_at - timedelta(milliseconds=300)
    assert sweeper.rest() == timedelta(milliseconds=300)


def test_a_sweep_takes_more_than_one_batch(sessions: Sessions) -> None:
    store(sessions, *map(due, range(BATCH + 1)))
    assert Sweeper(sessions, time_source=lambda: minutes_after_noon(90)).sweep() == BATCH + 1


@contextmanager
def sweeping(engine: Engine) -> Iterator[Event]:
    """A sweeper in a thread, until the block ends; the event is set at each turn of its loop."""
    stop, turn = Event(), Event()
    thread = Thread(target=sweep, args=(engine,), kwargs={"stop": stop, "beat": turn.set})
    thread.start()
    try:
        assert turn.wait(10)
        yield turn
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def listening(url: str, channel: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"listen {channel}".encode())
        yield connection


def test_the_loop_wakes_for_what_is_due_sooner(
    engine: Engine, sessions: Sessions, database_url: str
) -> None:
    with sweeping(engine), listening(database_url, outbox.CHANNEL) as listener:
        due_at = utc_now() + timedelta(milliseconds=300)
        store(sessions, due(1, due_at)._replace(warned_at=due_at))
        assert list(listener.notifies(timeout=10, stop_after=1))
    with sessions() as session:
        [breach] = announced_changes(session)
    assert breach.occurred_at == due_at
    assert breach.detected_at >= due_at


def test_the_loop_survives_an_outage(engine: Engine, sessions: Sessions, database_url: str) -> None:
    own = create_engine(database_url, connect_args={"application_name": "sweeper"})
    with sweeping(own) as turn, listening(database_url, outbox.CHANNEL) as listener:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'sweeper'"
                )
            )
        turn.clear()
        assert turn.wait(10)
        store(sessions, due(1))
        assert list(listener.notifies(timeout=10, stop_after=1))
    own.dispose()
    assert announced_breaches(sessions) == {an_id(1): 1}
