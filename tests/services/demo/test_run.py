"""The performance: it goes on until everything has arrived and somebody was too late, in view or line by line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy.orm import sessionmaker

from services.demo.activities import Channel, activities_of
from services.demo.figures import Figures, Reader
from services.demo.receiver import AT_ONCE, Receiver, Rep
from services.demo.run import DemoRun
from services.demo.setup import Access
from shared.clock import TimeSource
from tests.services.demo.recording import Answer, Posted, recording

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTS = activities_of(7, 12, until=NOON, run="run")


class Counting(Reader):
    """Figures as they would be read: everything sent has arrived, and from the third look on there is a breach."""

    def __init__(self, access: Access) -> None:
        super().__init__(access, run="run", started_at=NOON, began_at=NOON)
        self.looks = 0

    def read(self) -> Figures:
        self.looks += 1
        figures = Figures(events_sent=self._sent, events_kept=self._sent, assigned={"amira": 1})
        return replace(figures, breaches=1 if self.looks > 2 else 0)


def a_second_a_look() -> TimeSource:
    """A clock that goes on by a second whenever it is read, from whichever thread."""
    seconds = count()
    return lambda: NOON + timedelta(seconds=next(seconds))


def all_ok(posted: Posted) -> Answer:
    events = posted.body.get("events", [])
    results: dict[str, Any] = {it["id"]: {"status": "ok"} for it in events}
    return Answer(body={"success": True, "results": results})


@contextmanager
def stage(console: Console, stop: Event) -> Iterator[tuple[DemoRun, Counting]]:
    with recording(all_ok) as api:
        keys = dict.fromkeys((it.value for it in Channel), "lb_ingest_x")
        access = Access(api.url, api.url, api.url, api.url, keys, sessionmaker(), api.url)
        reps = {"amira": Rep("amira", AT_ONCE, "key")}
        receiver = Receiver(0, secrets={}, reps=reps, routing_url=api.url)
        yield DemoRun(access, receiver, console, a_second_a_look(), stop), Counting(access)
        receiver.server_close()


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_it_ends_when_all_has_arrived_and_somebody_was_too_late(*, terminal: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with stage(console, Event()) as (show, reader):
        figures = show.run(ACTS, reader, seconds=2)

    assert figures.events_sent == len(ACTS)
    assert figures.breaches == 1
    assert isinstance(console.file, io.StringIO)
    output = console.file.getvalue()
    assert ("answers at once" in output) is terminal
    assert ("events 0 sent" in output or "assigned: amira 1" in output) is not terminal


def test_a_stop_ends_it_at_once() -> None:
    stop = Event()
    stop.set()
    with stage(Console(file=io.StringIO()), stop) as (show, reader):
        show.run(ACTS, reader, seconds=1000)

    assert reader.looks == 1


def test_it_goes_on_saying_how_it_stands_until_it_is_stopped() -> None:
    stop, console = Event(), Console(file=io.StringIO())
    with stage(console, stop) as (show, reader):
        going_on = Thread(target=show.print_figures, args=(reader,), kwargs={"every_s": 0.01})
        going_on.start()
        while reader.looks < 2:
            stop.wait(0.01)
        stop.set()
        going_on.join(5)

    assert not going_on.is_alive()
