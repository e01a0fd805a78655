"""How a process is asked to stop: SIGTERM and SIGINT set one event, and every loop looks at it."""

from __future__ import annotations

import gc
import signal
from threading import Event, Thread

OBJECTS = 1_000_000


def stop_on_signals() -> Event:
    """An event that the first SIGTERM or SIGINT sets; later ones change nothing. Main thread only."""
    stop = Event()

    def on_signal(*_: object) -> None:
        # In a thread: the signal may have interrupted this one inside `stop.wait`, which holds a lock.
        Thread(target=stop.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


def collect_rarely() -> None:
    """Look for cycles when a million objects are more than before, and never among what the start has left.

    A batch makes hundreds of thousands, without one cycle, and leaves none: looking for them was a sixth of a
    worker's time, and still a tenth when it happened after every fifty thousand.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 20, 20)
