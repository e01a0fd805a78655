"""The sweep: fires due clocks, and sleeps until the next is due. Many may run; no clock fires twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from services.sla_monitor.handlers.due_clocks import ALWAYS, BATCH, fire_due_clocks
from services.sla_monitor.queries import clocks, counts
from shared.clock import TimeSource, utc_now
from shared.db.listener import listening
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.errors import class_and_code
from shared.process import logs
from shared.process.heartbeat import Heartbeat

LONGEST_SLEEP = timedelta(seconds=1)
SHORTEST_SLEEP = timedelta(milliseconds=5)
GRACE = timedelta(seconds=5)
FULL_SWEEP_EVERY = timedelta(seconds=30)
RECENT = timedelta(days=2)
"""How long the counts of each five minutes are kept: twice as long as anybody can ask for."""

log = logs.get(__name__)


def sweep(
    engine: Engine,
    *,
    stop: Event,
    time_source: TimeSource = utc_now,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Sweep until `stop`; while the database is away, try again every second.

    Raises the database's errors that are no outage, since they would not pass with time.
    """
    heartbeat = Heartbeat("sweep", time_source)
    while not stop.is_set():
        try:
            with listening(engine, clocks.CHANNEL) as listener, engine.connect() as own:
                sweeper = Sweeper(sessionmaker(own), time_source)
                while not stop.is_set():
                    heartbeat.beat(sweeper.sweep())
                    beat()
                    for due_at in listener.wait(sweeper.rest().total_seconds()):
                        sweeper.look_back_to(datetime.fromisoformat(due_at))
        except OUTAGES as error:
            if not is_outage(error):
                raise
            log.warning("the sweep waits for the database", error=class_and_code(error))
            stop.wait(LONGEST_SLEEP.total_seconds())


def remove_old_counts(sessions: Sessions, time_source: TimeSource) -> None:
    """Delete the counts of five minutes that are older than RECENT."""
    with sessions.begin() as session:
        counts.remove_recent_counts(session, before=time_source() - RECENT)


@dataclass
class Sweeper:
    """One sweeper: its low-water mark, when it last swept without one, and when something is due next."""

    sessions: Sessions
    time_source: TimeSource = utc_now
    low: datetime = ALWAYS
    swept_all_at: datetime = ALWAYS
    next_at: datetime | None = None

    def sweep(self) -> int:
        """Fire everything that is due now; returns how many clocks."""
        now = self.time_source()
        if now - self.swept_all_at >= FULL_SWEEP_EVERY:
            self.low, self.swept_all_at = ALWAYS, now
        total = 0
        while fired := self._sweep_batch(self.time_source()):
            total += fired
            if fired < BATCH:
                break
        self.low = max(self.low, now - GRACE)
        return total

    def look_back_to(self, due_at: datetime) -> None:
        """Lower the low-water mark to an instant at which a saved clock is due."""
        self.low = min(self.low, due_at)

    def rest(self) -> timedelta:
        """How long nothing is due, at most LONGEST_SLEEP."""
        if self.next_at is None:
            return LONGEST_SLEEP
        return max(SHORTEST_SLEEP, min(LONGEST_SLEEP, self.next_at - self.time_source()))

    def _sweep_batch(self, now: datetime) -> int:
        """Fire one batch, and find when the next clock is due in the same transaction, to save a round trip."""
        with self.sessions.begin() as session:
            fired = fire_due_clocks(session, now=now, low=self.low)
            self.next_at = clocks.find_next_fire(session, low=now - GRACE)
        return fired
