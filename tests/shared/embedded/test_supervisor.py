"""Tests of starting, watching, restarting and stopping processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from shared.embedded.postgres import free_port
from shared.embedded.supervisor import Program, StartFailed, Supervisor, pause_s

READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *said): pass
print("hello", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); signal.pause()"


class Recorder:
    """Records the processes that run."""

    def __init__(self) -> None:
        self.alive: set[int] = set()

    def watch(self, pid: int) -> None:
        self.alive.add(pid)

    def forget(self, pid: int) -> None:
        self.alive.remove(pid)


def program(source: str, *arguments: str, probe: str | None = None) -> Program:
    return Program("it", (sys.executable, "-c", source, *arguments), {}, probe)


def ready() -> Program:
    port = free_port()
    return program(READY, str(port), probe=f"http://127.0.0.1:{port}/readyz")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Program], Supervisor]]:
    started: list[Supervisor] = []

    def start(program: Program) -> Supervisor:
        supervisor = Supervisor([program], tmp_path / "logs", Recorder())
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def tend_until(
    supervisor: Supervisor, condition: Callable[[], object], within_s: float = 10.0
) -> None:
    """Maintain the processes, as `up` does, until the condition is met."""
    end, pause = time.monotonic() + within_s, Event()
    while not condition():
        assert time.monotonic() < end
        supervisor.maintain()
        pause.wait(0.02)


def test_ready_means_that_the_probe_answers(
    start: Callable[[Program], Supervisor], tmp_path: Path
) -> None:
    start(ready()).wait_ready(20)

    assert (tmp_path / "logs" / "it.log").read_text() == "hello\n"


def test_a_crashed_process_is_back_within_two_seconds(
    start: Callable[[Program], Supervisor],
) -> None:
    supervisor = start(ready())
    supervisor.wait_ready(20)
    first = supervisor.pid("it")
    assert first is not None

    os.kill(first, signal.SIGKILL)
    started_s = time.monotonic()
    tend_until(supervisor, lambda: supervisor.pid("it") not in (None, first))

    assert time.monotonic() - started_s < 2
    supervisor.wait_ready(20)


def test_what_never_becomes_ready_says_why(start: Callable[[Program], Supervisor]) -> None:
    crashing = program("raise SystemExit('no such thing')", probe="http://127.0.0.1:1/readyz")

    with pytest.raises(StartFailed, match=r"(?s)it ended 4 times.*no such thing"):
        start(crashing).wait_ready(20)


def test_what_stays_silent_says_where_it_was_expected(
    start: Callable[[Program], Supervisor],
) -> None:
    silent = program("import signal; signal.pause()", probe="http://127.0.0.1:1/readyz")

    with pytest.raises(StartFailed, match=r"it does not answer at http://127.0.0.1:1/readyz"):
        start(silent).wait_ready(0.2)


def test_waiting_ends_when_a_stop_is_asked_for(start: Callable[[Program], Supervisor]) -> None:
    stop = Event()
    stop.set()

    start(program("import signal; signal.pause()", probe="http://127.0.0.1:1/")).wait_ready(
        20, stop
    )


def test_stop_ends_everybody_and_tells_who_had_to_be_killed(tmp_path: Path) -> None:
    recorder = Recorder()
    polite = ready()
    stubborn = Program("stubborn", (sys.executable, "-c", STUBBORN), {})
    supervisor = Supervisor([polite, stubborn], tmp_path, recorder)
    supervisor.start()
    supervisor.wait_ready(20)
    tend_until(supervisor, lambda: (tmp_path / "stubborn.log").read_text() == "here\n")
    assert len(recorder.alive) == 2

    assert supervisor.stop(0.3) == ["stubborn"]
    assert recorder.alive == set()
    assert supervisor.stop() == []


def test_one_more_joins_and_one_leaves_for_good(tmp_path: Path) -> None:
    recorder = Recorder()
    supervisor = Supervisor([ready()], tmp_path, recorder)
    supervisor.start()

    supervisor.add(Program("stubborn", (sys.executable, "-c", STUBBORN), {}))
    tend_until(supervisor, lambda: (tmp_path / "stubborn.log").read_text() == "here\n")
    supervisor.wait_ready(20)
    assert len(recorder.alive) == 2

    assert not supervisor.end("stubborn", 0.3)
    assert supervisor.end("it")
    supervisor.maintain()
    assert recorder.alive == set()
    assert supervisor.stop() == []


@pytest.mark.parametrize(
    ("crashes", "pause"), [(1, 0), (2, 0.1), (3, 0.2), (4, 0.4), (20, 30)], ids=str
)
def test_the_pause_doubles_from_crash_to_crash_up_to_half_a_minute(
    crashes: int, pause: float
) -> None:
    assert pause_s(crashes) == pause
