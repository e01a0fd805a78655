"""What is done beside the work now and again, such as gauges: it must not make the work late, nor stop with it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from prometheus_client import Counter

from shared.db.outages import OUTAGES, Guard
from shared.errors import class_and_code, loggable
from shared.process import logs

FAILED = Counter(
    "leadbaton_watch_failures",
    "Times that what a process does beside its work failed, for another reason than an outage.",
    ["watch"],
)
EVERY_S = 10.0

log = logs.get(__name__)


def watching(
    name: str, look: Callable[[], None], stop: Event, *, every_s: float = EVERY_S
) -> Thread:
    """A thread that looks now and again until `stop`, whatever a look raises.

    An outage is logged; any other error is counted by the name of the watch, and there is an alert on that: gauges
    that are no longer set show nothing by themselves.
    """
    failed = FAILED.labels(name)

    def watch() -> None:
        guard = Guard()
        while not stop.is_set():
            try:
                with guard:
                    look()
            except OUTAGES as away:
                log.warning("no look around: a service is away", error=class_and_code(away))
            if guard.error is not None:
                failed.inc()
                log.error(
                    "a look around failed",
                    watch=name,
                    error=loggable(guard.error),
                    exc_info=guard.error,
                )
            stop.wait(every_s)

    thread = Thread(target=watch, name="watch", daemon=True)
    thread.start()
    return thread
