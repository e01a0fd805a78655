"""Processes that sweep, and clocks that fall due while they run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from sqlalchemy import Engine, text

from services.cli.processes import SLA_SWEEP

_MAKE_DUE = text("""
    with due as (
        select clock_id, :first + row_number() over () * cast(:apart_s as float) * interval '1 s' as at
        from (
            select clock_id from sla.timers
            where fire_at > now() + interval '4 h' and breached_at is null
            limit :count
        ) as untouched
    ), clock as (
        update sla.clocks
        set due_at = at, warn_at = at - target / 5, due_on = cast(at at time zone 'UTC' as date),
            escalation_steps = case when escalation_steps = '[]' then escalation_steps else
                jsonb_build_array(jsonb_build_array(to_jsonb(at + interval '30 min'), 'ops')) end
        from due where id = clock_id
    )
    update sla.timers as timer set fire_at = at, warned_at = now()
    from due where timer.clock_id = due.clock_id
""")


def make_due(engine: Engine, count: int, first: datetime, *, apart_s: float = 0) -> None:
    """Make `count` clocks, already at risk, due from `first` on, `apart_s` seconds apart."""
    with engine.begin() as connection:
        connection.execute(_MAKE_DUE, {"count": count, "first": first, "apart_s": apart_s})


@dataclass
class Sweepers:
    """Processes that sweep a database."""

    engine: Engine
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, count: int = 1) -> None:
        """Start `count` more sweepers, and wait until all listen."""
        url = self.engine.url.render_as_string(hide_password=False)
        environment = {**os.environ, "LEADBATON_DATABASE_URL": url, "LEADBATON_LOG_LEVEL": "ERROR"}
        self.processes += [subprocess.Popen(SLA_SWEEP.argv, env=environment) for _ in range(count)]
        wait_until(lambda: self._listening() >= len(self.processes))

    def kill_one(self) -> None:
        """Kill the oldest sweeper with SIGKILL."""
        victim = self.processes.pop(0)
        victim.kill()
        victim.wait()

    def stop(self) -> None:
        """Terminate all sweepers."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)

    def _listening(self) -> int:
        with self.engine.connect() as connection:
            count: int | None = connection.scalar(
                text(
                    "select count(*) from pg_stat_activity where query = 'listen leadbaton_clocks'"
                )
            )
        return count or 0


@contextmanager
def sweeping(engine: Engine, count: int) -> Iterator[Sweepers]:
    """`count` sweepers, while the block runs."""
    sweepers = Sweepers(engine)
    try:
        sweepers.start(count)
        yield sweepers
    finally:
        sweepers.stop()


def wait_until(condition: Callable[[], bool], *, patience_s: float = 120) -> None:
    """Check the condition ten times a second; raises TimeoutError after `patience_s`."""
    pause, tries = Event(), int(patience_s * 10)
    for _ in range(tries):
        if condition():
            return
        pause.wait(0.1)
    raise TimeoutError(f"not within {patience_s} s")
