"""The sweep: claims what is due, says so, sleeps until the next. Many may run; no clock fires twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from services.sla_monitor import metrics
from services.sla_monitor.announcements import announcements
from services.sla_monitor.domain import tallies
from services.sla_monitor.domain.clocks import Transition, fire
from services.sla_monitor.queries import clocks, timers
from services.sla_monitor.queries.clocks import CHANNEL
from shared.clock import TimeSource, utc_now
from shared.db.listener import listening
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.errors import class_and_code
from shared.messaging import outbox
from shared.process import logs
from shared.process.heartbeat import Heartbeat

BATCH = 10_000
LONGEST_SLEEP = timedelta(seconds=1)
SHORTEST_SLEEP = timedelta(milliseconds=5)
GRACE = timedelta(seconds=5)
FULL_SWEEP_EVERY = timedelta(seconds=30)
EVER = datetime(1, 1, 1, tzinfo=UTC)

log = logs.get(__name__)


def sweep(
    engine: Engine,
    *,
    stop: Event,
    time_source: TimeSource = utc_now,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Sweep until `stop`; while the database is away, try again every second.

    Raises what the database says of a statement, for that does not pass.
    """
    heartbeat = Heartbeat("sweep", time_source)
    while not stop.is_set():
        try:
            with listening(engine, CHANNEL) as listener, engine.connect() as own:
                sweeper = Sweeper(sessionmaker(own), time_source)
                while not stop.is_set():
                    heartbeat.beat(sweeper.sweep())
                    beat()
                    for due_at in listener.wait(sweeper.rest().total_seconds()):
                        sweeper.heard(datetime.fromisoformat(due_at))
        except OUTAGES as error:
            if not is_outage(error):
                raise
            log.warning("the sweep waits for the database", error=class_and_code(error))
            stop.wait(LONGEST_SLEEP.total_seconds())


def sweep_once(session: Session, *, now: datetime, low: datetime = EVER, limit: int = BATCH) -> int:
    """Take every step that is due on up to `limit` clocks, in this transaction; how many there were."""
    claimed = timers.claim_due(session, now=now, low=low, limit=limit)
    if not claimed:
        return 0
    fired = [fire(clock, now=now) for clock in claimed]

    after = [clock for clock, _ in fired]
    said = [step for _, steps in fired for step in steps]
    clocks.save_timers(session, after)
    outbox.append(session, announcements(said, now=now))
    clocks.add_tallies(session, tallies.moved(zip(claimed, after, strict=True)))
    _measure(said, now)
    return len(claimed)


def _measure(said: Sequence[Transition], now: datetime) -> None:
    for step in said:
        metrics.LATENESS.observe((now - step.occurred_at).total_seconds())
    for change, times in Counter(step.change for step in said).items():
        metrics.FIRED.labels(change.value).inc(times)


@dataclass
class Sweeper:
    """One sweeper: how far it has looked, when it last looked at everything, what it found to come next."""

    sessions: Sessions
    time_source: TimeSource = utc_now
    low: datetime = EVER
    swept_all_at: datetime = EVER
    next_at: datetime | None = None

    def sweep(self) -> int:
        """Fire all that is due now; the number of clocks."""
        now = self.time_source()
        if now - self.swept_all_at >= FULL_SWEEP_EVERY:
            self.low, self.swept_all_at = EVER, now
        fired = 0
        while batch := self._batch(self.time_source()):
            fired += batch
            if batch < BATCH:
                break
        self.low = max(self.low, now - GRACE)
        return fired

    def heard(self, due_at: datetime) -> None:
        """Something new is due then: look back that far."""
        self.low = min(self.low, due_at)

    def rest(self) -> timedelta:
        """How long nothing is due, at most a second."""
        if self.next_at is None:
            return LONGEST_SLEEP
        return max(SHORTEST_SLEEP, min(LONGEST_SLEEP, self.next_at - self.time_source()))

    def _batch(self, now: datetime) -> int:
        """One transaction, which also looks what comes next: each answer waited for makes the next one later."""
        with self.sessions.begin() as session:
            fired = sweep_once(session, now=now, low=self.low)
            self.next_at = timers.find_next_fire(session, low=now - GRACE)
        return fired
