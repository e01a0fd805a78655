"""The sweep: claims what is due, says so, sleeps until the next. Many may run; no clock fires twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from services.sla_monitor import metrics
from services.sla_monitor.announcements import announcements
from services.sla_monitor.domain import tallies
from services.sla_monitor.domain.clocks import Said, fire
from services.sla_monitor.queries import clocks, timers
from services.sla_monitor.queries.alarms import bell
from shared import logs
from shared.clock import Clock, utc_now
from shared.db import outbox
from shared.db.outages import OUTAGES
from shared.db.session import Sessions, sessions_on

BATCH = 5_000
LONGEST_SLEEP = timedelta(seconds=1)
SHORTEST_SLEEP = timedelta(milliseconds=5)
GRACE = timedelta(seconds=5)
FULL_SWEEP_EVERY = timedelta(seconds=30)
AUDIT_EVERY = timedelta(seconds=10)
EVER = datetime(1, 1, 1, tzinfo=UTC)

log = logs.get(__name__)


def sweep(
    engine: Engine, *, stop: Event, clock: Clock = utc_now, beat: Callable[[], None] = lambda: None
) -> None:
    """Sweep until told to stop; while the database is away, try again every second."""
    sweeper = Sweeper(sessions_on(engine), clock)
    auditor = Thread(target=_audit_until, args=(sweeper.sessions, clock, stop), daemon=True)
    auditor.start()
    while not stop.is_set():
        try:
            with bell(engine) as alarm:
                while not stop.is_set():
                    sweeper.sweep()
                    beat()
                    for due_at in alarm.wait(sweeper.rest()):
                        sweeper.heard(due_at)
        except OUTAGES as outage:
            log.warning("the sweep waits for the database", error=type(outage).__name__)
            stop.wait(LONGEST_SLEEP.total_seconds())
    auditor.join()


def sweep_once(session: Session, *, now: datetime, low: datetime = EVER, most: int = BATCH) -> int:
    """Take every step that is due on up to `most` clocks, in this transaction; how many there were."""
    claimed = timers.claim_due(session, now=now, low=low, most=most)
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


def _measure(said: Sequence[Said], now: datetime) -> None:
    for step in said:
        metrics.LATENESS.observe((now - step.occurred_at).total_seconds())
    for change, times in Counter(step.change.value for step in said).items():
        metrics.FIRED.labels(change).inc(times)


@dataclass
class Sweeper:
    """One sweeper: how far it has looked, and when it last looked at everything."""

    sessions: Sessions
    clock: Clock = utc_now
    low: datetime = EVER
    swept_all_at: datetime = EVER

    def sweep(self) -> int:
        """Fire all that is due now; the number of clocks."""
        now = self.clock()
        if now - self.swept_all_at >= FULL_SWEEP_EVERY:
            self.low, self.swept_all_at = EVER, now
        fired = 0
        while batch := self._batch(self.clock()):
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
        with self.sessions() as session:
            due_at = timers.find_next_fire(session, low=self.low)
        if due_at is None:
            return LONGEST_SLEEP
        return max(SHORTEST_SLEEP, min(LONGEST_SLEEP, due_at - self.clock()))

    def _batch(self, now: datetime) -> int:
        with self.sessions.begin() as session:
            return sweep_once(session, now=now, low=self.low)


def _audit_until(sessions: Sessions, clock: Clock, stop: Event) -> None:
    """Audit from time to time, beside the sweep: counting must not make it late."""
    while not stop.is_set():
        with suppress(*OUTAGES):
            audit(sessions, now=clock())
        stop.wait(AUDIT_EVERY.total_seconds())


def audit(sessions: Sessions, *, now: datetime) -> None:
    """Show ops how the clocks stand, and whether timers wait that somebody should have fired."""
    with sessions() as session:
        standing = timers.standing_of(session, now=now)
    metrics.OVERDUE_TIMERS.set(standing.overdue_timers)
    metrics.OPEN_CLOCKS.set(standing.open_clocks)
    metrics.OPEN_BREACHES.set(standing.open_breaches)
    metrics.AT_RISK.set(standing.at_risk)
    if standing.overdue_timers:
        log.warning("timers are overdue", timers=standing.overdue_timers)
