"""Feels whether events get into the ledger: how long nothing moved, and when it moved again."""

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
from tests.fault.books import reading
from tests.journey.world import World, until

BEAT_S = 0.05
_READ = text("""
    select coalesce(sum(next_offset), 0) from messaging.offsets
    where consumer_group = :group and topic = :topic
""")


@dataclass
class Pulse:
    """The instants at which the ledger was seen to grow."""

    beats: list[float] = field(default_factory=list)

    def longest_pause_s(self) -> float:
        """The longest time between two beats."""
        times = list(self.beats)
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def back_after_s(self, since: float, within_s: float = 60.0) -> float:
        """How long after this instant the ledger grew again."""

        def next_beat() -> float | None:
            return next((it for it in list(self.beats) if it > since), None)

        return until(next_beat, within_s=within_s, why="back at work") - since


@contextmanager
def feeling(world: World) -> Iterator[Pulse]:
    """The pulse while the block runs."""
    pulse, stop = Pulse(), Event()
    thread = Thread(target=_feel, args=(world, pulse, stop))
    thread.start()
    try:
        yield pulse
    finally:
        stop.set()
        thread.join()


def _feel(world: World, pulse: Pulse, stop: Event) -> None:
    before = -1
    with reading(world) as sessions:
        while not stop.wait(BEAT_S):
            try:
                with sessions() as session:
                    parameters = {"group": SCORING, "topic": MARKETING_EVENTS.name}
                    now = int(session.scalar(_READ, parameters) or 0)
            except DBAPIError:
                continue
            if now != before:
                pulse.beats.append(time.monotonic())
            before = now
