"""Invariant 9: each due clock fires exactly once, on time, however many sweep and whichever is killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.gauges import set_gauges, set_open_clocks
from services.sla_monitor.handlers.due_clocks import ALWAYS, BATCH, fire_due_clocks
from services.sla_monitor.queries.clocks import save_clocks
from services.sla_monitor.sweep import LONGEST_SLEEP, Sweeper, sweep
from services.sla_monitor.tables import clocks, timers
from shared.clock import utc_now
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from shared.messaging import outbox
from tests.builders import an_id, minutes
from tests.services.sla_monitor.builders import (
    TOUCH,
    announced_changes,
    derived_clocks,
    minutes_after_noon,
    outcome_counts,
    step,
)

pytestmark = pytest.mark.postgres

MODEL = derived_clocks([step(Change.ASSIGNED)], TOUCH)["touch/1"]
MANY = 4_000


def due(number: int, at: datetime = MODEL.due_at) -> Clock:
    """A clock that is due at that instant, unlike all others by its number."""
    return MODEL._replace(
        id=an_id(number),
        handoff_id=an_id(f"handoff {number}"),
        warn_at=at - minutes(12),
        due_at=at,
        escalation_steps=(),
    )


def store(sessions: Sessions, *stored: Clock) -> None:
    with sessions.begin() as session:
        save_clocks(session, stored)


def announced_breaches(sessions: Sessions) -> Counter[object]:
    with sessions() as session:
        return Counter(
            it.clock_id for it in announced_changes(session) if it.change is ClockChange.BREACHED
        )


def test_a_sweep_fires_what_is_due_and_no_more(session: Session) -> None:
    save_clocks(session, [due(1), due(2, minutes_after_noon(200))])
    assert fire_due_clocks(session, now=minutes_after_noon(59)) == 1  # a warning
    assert fire_due_clocks(session, now=minutes_after_noon(60)) == 1
    assert fire_due_clocks(session, now=minutes_after_noon(60)) == 0
    assert [it.change.value for it in announced_changes(session)] == ["at_risk", "breached"]
    assert outcome_counts(session) == {"overdue": 1}


def test_a_breach_is_dated_when_it_was_due_and_holds_when_it_was_detected(session: Session) -> None:
    save_clocks(session, [due(1)])
    fire_due_clocks(session, now=minutes_after_noon(500))
    [breach] = announced_changes(session)
    assert (breach.occurred_at, breach.due_at, breach.detected_at) == (
        minutes_after_noon(60),
        minutes_after_noon(60),
        minutes_after_noon(500),
    )


@pytest.mark.parametrize("sweepers", [2, 4])
def test_many_sweepers_fire_each_clock_once(sessions: Sessions, sweepers: int) -> None:
    store(sessions, *(due(n, minutes_after_noon(60 + n % 7)) for n in range(MANY)))

    def work(_: int) -> int:
        fired = 0
        while True:
            with sessions.begin() as session:
                batch = fire_due_clocks(session, now=minutes_after_noon(90), limit=100)
            if not batch:
                return fired
            fired += batch

    with ThreadPoolExecutor(sweepers) as pool:
        fired = list(pool.map(work, range(sweepers)))

    assert sum(fired) == MANY
    assert min(fired) > 0
    assert announced_breaches(sessions) == {an_id(n): 1 for n in range(MANY)}
    with sessions() as session:
        of_one = timers.c.clock_id == clocks.c.id
        wrong = timers.c.breached_at.is_distinct_from(clocks.c.due_at)
        assert session.scalar(select(func.count()).where(of_one, wrong)) == 0
        assert outcome_counts(session) == {"overdue": MANY}


VICTIM_CODE = """
import sys
from datetime import datetime
from shared.db.session import engine_for, sessions_on
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
with sessions_on(engine_for(sys.argv[1])).begin() as session:
    print(fire_due_clocks(session, now=datetime.fromisoformat(sys.argv[2]), limit=500), flush=True)
    sys.stdin.read()
"""


def test_a_sweeper_killed_in_the_middle_loses_none(sessions: Sessions, database_url: str) -> None:
    store(sessions, *map(due, range(1_000)))
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM_CODE, database_url, minutes_after_noon(90).isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "500\n"  # all done but the commit
        victim.kill()

    _wait_for_locks(sessions)
    sweeper = Sweeper(sessions, time_source=lambda: minutes_after_noon(90))
    assert sweeper.sweep() == 1_000
    assert announced_breaches(sessions) == {an_id(n): 1 for n in range(1_000)}


def _wait_for_locks(sessions: Sessions) -> None:
    """Wait until the killed sweeper's transaction holds no row any more."""
    with sessions.begin() as session:
        session.execute(select(timers.c.clock_id).with_for_update())


def test_what_is_older_than_the_low_water_mark_waits_for_the_full_sweep(sessions: Sessions) -> None:
    now = minutes_after_noon(90)
    sweeper = Sweeper(sessions, time_source=lambda: now)
    assert (sweeper.low, sweeper.sweep()) == (ALWAYS, 0)
    store(sessions, due(1))
    assert sweeper.low > MODEL.due_at
    assert sweeper.sweep() == 0
    now += timedelta(seconds=30)
    assert sweeper.sweep() == 1


def test_a_sweeper_looks_back_as_far_as_it_is_notified(sessions: Sessions) -> None:
    sweeper = Sweeper(sessions, time_source=lambda: minutes_after_noon(90))
    sweeper.sweep()
    store(sessions, due(1))
    sweeper.look_back_to(MODEL.warn_at)
    assert sweeper.sweep() == 1


def test_a_sweeper_rests_until_the_next_is_due_and_at_most_a_second(sessions: Sessions) -> None:
    now = minutes_after_noon(0)
    sweeper = Sweeper(sessions, time_source=lambda: now)
    assert (sweeper.sweep(), sweeper.rest()) == (0, LONGEST_SLEEP)
    store(sessions, due(1))
    assert (sweeper.sweep(), sweeper.rest()) == (0, LONGEST_SLEEP)
    now = MODEL.warn_at - timedelta(milliseconds=300)
    assert sweeper.rest() == timedelta(milliseconds=300)


def test_a_sweep_takes_more_than_one_batch(sessions: Sessions) -> None:
    store(sessions, *map(due, range(BATCH + 1)))
    assert Sweeper(sessions, time_source=lambda: minutes_after_noon(90)).sweep() == BATCH + 1


def test_the_gauges_count_timers_that_no_sweep_fires(sessions: Sessions, engine: Engine) -> None:
    store(sessions, due(1), due(2))
    with engine.connect() as connection:  # holds one of them, so that no sweep can claim it
        connection.execute(select(timers).where(timers.c.clock_id == an_id(1)).with_for_update())
        assert Sweeper(sessions, time_source=lambda: minutes_after_noon(61)).sweep() == 1
    set_gauges(sessions, lambda: minutes_after_noon(61))
    set_open_clocks(sessions)
    assert REGISTRY.get_sample_value("leadbaton_sla_overdue_timers") == 1
    assert REGISTRY.get_sample_value("leadbaton_sla_open_clocks") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_open_breaches") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_at_risk") == 0
    store(sessions, due(3))
    set_gauges(sessions, lambda: minutes_after_noon(61))  # the open ones are counted more rarely
    assert REGISTRY.get_sample_value("leadbaton_sla_overdue_timers") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_open_clocks") == 2


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
