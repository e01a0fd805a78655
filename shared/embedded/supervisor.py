"""Starts processes, waits until they are ready, restarts those that crash, and stops them all."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

import httpx

from shared.embedded.log_files import open_log
from shared.errors import Unavailable

STOP_S = 10.0
"""How long a process may take to end after SIGTERM."""
STEADY_S = 5.0
"""After so long without a crash, the next crash of a process counts as its first."""
MAX_START_CRASHES = 4
"""A process that crashes this often before it is ready is given up."""


class StartFailed(Unavailable):
    """A process did not become ready."""

    code = "start_failed"


class KeepsCrashing(StartFailed):
    """A process has crashed again and again before it was ready."""

    def __init__(self, message: str, program: str) -> None:
        super().__init__(message)
        self.program = program


class ExitWatcher(Protocol):
    """Is called at each start and end of a process, as the reaper is."""

    def watch(self, pid: int) -> None:
        """A process has started."""

    def forget(self, pid: int) -> None:
        """A process has ended."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process to be kept running. `probe` is a URL that responds with 200 once it is ready."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    probe: str | None = None


class RunningProcess(Protocol):
    """A process that was started, with the methods of `Popen`."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return when it has ended; raises TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Send the signal, unless the process has ended."""

    def kill(self) -> None:
        """End it at once."""


def start(program: Program, log: Path) -> RunningProcess:
    """Start the program as a child process. Its output is appended to `log`, whose size is checked only now."""
    with os.fdopen(open_log(log), "ab") as file:
        return subprocess.Popen(
            program.argv,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def pause_s(crashes: int) -> float:
    """The seconds before the next start: none after the first crash, then 0.1 s, doubling up to 30 s.

    They begin small, so that a process that was killed a few times in a row is back soon.
    """
    return 0.0 if crashes <= 1 else min(0.1 * 2.0 ** (crashes - 2), 30.0)


@dataclass(slots=True)
class _Running:
    program: Program
    log: Path
    process: RunningProcess | None = None
    started_s: float = 0.0
    restart_s: float = 0.0
    crashes: int = 0
    ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running, each with its own log file. It is not safe for several threads."""

    programs: Iterable[Program]
    logs: Path
    exit_watcher: ExitWatcher | None = None
    launch: Callable[[Program, Path], RunningProcess] = start
    on_exit: Callable[[str], None] = lambda _: None
    """Called with the name of each program that has ended by itself."""
    _running: dict[str, _Running] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Start all programs."""
        for program in self.programs:
            self.add(program)

    def add(self, program: Program) -> None:
        """Start a further program and keep it running."""
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._running[program.name] = _Running(program, self.logs / f"{program.name}.log")
        self._launch(self._running[program.name])

    def end(self, name: str, timeout_s: float = STOP_S) -> bool:
        """Stop a program for good; False if it had to be killed."""
        process = self._running.pop(name).process
        if process is None:
            return True
        process.send_signal(signal.SIGTERM)
        in_time = _ended(process, time.monotonic() + timeout_s)
        self._forget(process)
        return in_time

    def wait_ready(self, timeout_s: float = 60.0, stop: Event | None = None) -> None:
        """Return once every probe has responded with 200, or `stop` is set.

        Raises StartFailed with the end of the log of a program that did not become ready.
        """
        stop = stop or Event()
        end = time.monotonic() + timeout_s
        with httpx.Client(timeout=2, trust_env=False) as client:
            while waiting := [it for it in self._running.values() if not _is_ready(it, client)]:
                self.maintain()
                failed = [it for it in waiting if it.crashes >= MAX_START_CRASHES]
                if failed:
                    raise KeepsCrashing(_failure(failed[0]), failed[0].program.name)
                if time.monotonic() > end:
                    raise StartFailed(_failure(waiting[0]))
                if stop.wait(0.05):
                    return

    def maintain(self) -> list[str]:
        """Restart crashed programs whose pause is over. Call it several times a second.

        It returns a message for each program that has ended since the last call, with the path of its log.
        """
        ended = []
        now = time.monotonic()
        for running in self._running.values():
            if running.process is not None and running.process.poll() is not None:
                self._note_exit(running, now)
                ended.append(
                    f"{running.program.name} has ended and is restarted; its log: {running.log}"
                )
            if running.process is None and now >= running.restart_s:
                self._launch(running)
        return ended

    def stop(self, timeout_s: float = STOP_S) -> list[str]:
        """Stop all programs and return the names of those that had to be killed after the time."""
        alive = {name: it.process for name, it in self._running.items() if it.process is not None}
        for process in alive.values():
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + timeout_s
        killed = [name for name, process in alive.items() if not _ended(process, end)]
        for process in alive.values():
            self._forget(process)
        self._running.clear()
        return killed

    def pid(self, name: str) -> int | None:
        """The id of the process that runs this program, or None while it does not run."""
        process = self._running[name].process
        return None if process is None else process.pid

    def _launch(self, running: _Running) -> None:
        running.process = self.launch(running.program, running.log)
        running.started_s = time.monotonic()
        if self.exit_watcher is not None:
            self.exit_watcher.watch(running.process.pid)

    def _note_exit(self, running: _Running, now: float) -> None:
        if running.process is not None:
            self._forget(running.process)
        self.on_exit(running.program.name)
        running.crashes = 1 if now - running.started_s > STEADY_S else running.crashes + 1
        running.process, running.ready = None, False
        running.restart_s = now + pause_s(running.crashes)

    def _forget(self, process: RunningProcess) -> None:
        if self.exit_watcher is not None:
            self.exit_watcher.forget(process.pid)


def _is_ready(running: _Running, client: httpx.Client) -> bool:
    if not running.ready and running.process is not None:
        running.ready = running.program.probe is None or _answers(client, running.program.probe)
    return running.ready


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


def _ended(process: RunningProcess, end: float) -> bool:
    """Whether the process ends before `end`, a time of the monotonic clock; else it is killed."""
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _failure(running: _Running) -> str:
    lines = running.log.read_text(errors="replace").splitlines()[-15:]
    failure = (
        f"ended {running.crashes} times"
        if running.crashes
        else f"does not answer at {running.program.probe}"
    )
    return "\n".join([f"{running.program.name} {failure}; the end of {running.log}:", *lines])
