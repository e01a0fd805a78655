"""That a loop goes round, for ops to see: a gauge at each turn, a line in the log once a minute."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Gauge

from shared.clock import TimeSource
from shared.process import logs

LOOP_TURNED = Gauge(
    "leadbaton_loop_turned_timestamp_seconds",
    "When the loop of a process last went round, in Unix time.",
    ("loop",),
)
EVERY = timedelta(minutes=1)

log = logs.get(__name__)


class Heartbeat:
    """One loop's; what it did since the last line is on the next."""

    def __init__(self, loop: str, time_source: TimeSource) -> None:
        self._loop, self._clock = loop, time_source
        self._gauge = LOOP_TURNED.labels(loop)
        self._next_line_at = time_source()
        self._turns = self._done = 0

    def beat(self, done: int = 0) -> None:
        """The loop went round, and did so many of what it does."""
        now = self._clock()
        self._gauge.set(now.timestamp())
        self._turns += 1
        self._done += done
        if now >= self._next_line_at:
            log.info("alive", loop=self._loop, turns=self._turns, done=self._done)
            self._next_line_at = now + EVERY
            self._turns = self._done = 0
