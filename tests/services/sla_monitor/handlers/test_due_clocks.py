"""Invariant 9: each due clock fires exactly once, however many sweepers there are and whichever is killed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.queries.clocks import save_clocks
from services.sla_monitor.sweep import Sweeper
from services.sla_monitor.tables import clocks, timers
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.builders import (
    announced_breaches,
    announced_changes,
    due,
    minutes_after_noon,
    outcome_counts,
    store,
)

pytestmark = pytest.mark.postgres


MANY = 4_000


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
