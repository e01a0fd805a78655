"""Periodic tasks of a process, such as setting gauges, each in a thread that no error ends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from prometheus_client import Counter

from shared.db.outages import OUTAGES, ErrorCapture
from shared.errors import class_and_code, loggable
from shared.process import logs

FAILURES = Counter(
    "leadbaton_periodic_task_failures",
    "Runs of a process's periodic task that failed for another reason than an outage.",
    ["task"],
)
EVERY_S = 10.0

log = logs.get(__name__)


def run_periodically(
    task: str, action: Callable[[], None], stop: Event, *, every_s: float = EVERY_S
) -> Thread:
    """Start a thread that calls `action` at once and then every `every_s` seconds until `stop`.

    An outage is logged. Any other error is logged and counted by the name of the task, and the task runs again: an
    alert watches the count, because gauges that are no longer set keep their last values.
    """
    failures = FAILURES.labels(task)

    def run() -> None:
        capture = ErrorCapture()
        while not stop.is_set():
            try:
                with capture:
                    action()
            except OUTAGES as outage:
                log.warning(
                    "a periodic task waits for a service", task=task, error=class_and_code(outage)
                )
            if capture.error is not None:
                failures.inc()
                log.error(
                    "a periodic task failed",
                    task=task,
                    error=loggable(capture.error),
                    exc_info=capture.error,
                )
            stop.wait(every_s)

    thread = Thread(target=run, name=task, daemon=True)
    thread.start()
    return thread
