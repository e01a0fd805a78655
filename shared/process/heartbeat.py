"""Shows that a loop is running: it sets a gauge at each turn and logs a line once a minute."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Gauge

from shared.clock import TimeSource
from shared.process import logs

LOOP_TURNED = Gauge(
    "leadbaton_loop_turned_timestamp_seconds",
    "When the loop of a process last completed a turn, in Unix time.",
    ("loop",),
)
LINE_INTERVAL = timedelta(minutes=1)

log = logs.get(__name__)


class Heartbeat:
    """The heartbeat of one loop; each log line counts the turns and the work since the line before."""

    def __init__(self, loop: str, time_source: TimeSource) -> None:
        self._loop, self._time_source = loop, time_source
        self._gauge = LOOP_TURNED.labels(loop)
        self._next_line_at = time_source()
        self._turns = self._done = 0

    def beat(self, done: int = 0) -> None:
        """Note one turn of the loop, which completed `done` items of work."""
        now = self._time_source()
        self._gauge.set(now.timestamp())
        self._turns += 1
        self._done += done
        if now >= self._next_line_at:
            log.info("alive", loop=self._loop, turns=self._turns, done=self._done)
            self._next_line_at = now + LINE_INTERVAL
            self._turns = self._done = 0
