"""Watches when events are stored, to measure pauses and recoveries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Thread

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.contracts.topics import MARKETING_EVENTS, SCORING
from tests.fault.audit import reading
from tests.journey.world import World, until

INTERVAL_S = 0.05
_READ = text("""
    select coalesce(sum(next_offset), 0) from messaging.offsets
    where consumer_group = :group and topic = :topic
""")


@dataclass
class StoredProgress:
    """The instants at which more events were stored."""

    grew_at: list[float] = field(default_factory=list)

    def longest_pause_s(self) -> float:
        """The longest time between two of these instants, in seconds."""
        times = list(self.grew_at)
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def resumed_after_s(self, since: float, within_s: float = 60.0) -> float:
        """Wait until an event is stored again; return how many seconds after `since` that was."""

        def next_growth() -> float | None:
            return next((it for it in list(self.grew_at) if it > since), None)

        return until(next_growth, within_s=within_s, why="back at work") - since


@contextmanager
def watching_progress(world: World) -> Iterator[StoredProgress]:
    """The progress, which a thread watches while the block runs."""
    progress, stop = StoredProgress(), Event()
    thread = Thread(target=_watch, args=(world, progress, stop))
    thread.start()
    try:
        yield progress
    finally:
        stop.set()
        thread.join()


def _watch(world: World, progress: StoredProgress, stop: Event) -> None:
    before = -1
    with reading(world) as sessions:
        while not stop.wait(INTERVAL_S):
            try:
                with sessions() as session:
                    parameters = {"group": SCORING, "topic": MARKETING_EVENTS.name}
                    now = int(session.scalar(_READ, parameters) or 0)
            except DBAPIError:
                continue
            if now != before:
                progress.grew_at.append(time.monotonic())
            before = now
