"""What is done beside the work now and again, such as gauges: it must not make the work late, nor stop with it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from shared import logs
from shared.db.outages import OUTAGES
from shared.errors import class_and_code

log = logs.get(__name__)

EVERY_S = 10.0


def watching(look: Callable[[], None], stop: Event, *, every_s: float = EVERY_S) -> Thread:
    """A thread that looks now and again until `stop`; while a service is away it looks on."""

    def watch() -> None:
        while not stop.is_set():
            try:
                look()
            except OUTAGES as away:
                log.warning("no look around: a service is away", error=class_and_code(away))
            stop.wait(every_s)

    thread = Thread(target=watch, name="watch", daemon=True)
    thread.start()
    return thread
