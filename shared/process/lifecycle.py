"""The stop event of a process, which SIGTERM and SIGINT set, and its settings for garbage collection."""

from __future__ import annotations

import gc
import signal
from threading import Event, Thread

GC_THRESHOLD = 1_000_000
"""New objects after which Python looks for cycles."""


def stop_on_signals() -> Event:
    """The event that the first SIGTERM or SIGINT sets. Call it in the main thread."""
    stop = Event()

    def on_signal(*_: object) -> None:
        # A thread sets it, because the signal may interrupt `stop.wait`, which holds the lock of the event.
        Thread(target=stop.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


def collect_rarely() -> None:
    """Look for cycles after GC_THRESHOLD new objects, and never among the objects that exist now.

    A batch makes hundreds of thousands of objects without a cycle. With Python's default the search took a sixth of a
    worker's time, and with a threshold of fifty thousand still a tenth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
