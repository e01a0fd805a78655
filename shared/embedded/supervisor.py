"""Starts processes, waits until they are ready, starts again those that crash, and stops them all."""

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
"""How long a process has to finish what it is doing after SIGTERM."""
STEADY_S = 5.0
"""A process that lived this long has recovered: its next crash counts as the first."""
TOO_MANY_CRASHES = 4
"""A process that crashed this often before it was ever ready will not become so."""


class StartFailed(Unavailable):
    """A process did not become ready."""

    code = "start_failed"


class ExitWatcher(Protocol):
    """Whoever wants to know which processes live, such as the reaper."""

    def watch(self, pid: int) -> None:
        """A process was started."""

    def forget(self, pid: int) -> None:
        """A process has ended."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to be kept running. `probe` is a URL that answers 200 once it is ready."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    probe: str | None = None


class Alive(Protocol):
    """A process that was started, as `Popen` shows it."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return when it has ended; raises TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Send it, if the process still runs."""

    def kill(self) -> None:
        """End it at once."""


def start(program: Program, log: Path) -> Alive:
    """The program as a child of ours; what it writes goes to the end of `log`, which is bounded at each start only."""
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
    """How long to wait before the next start: nothing after the first crash, then doubling to half a minute.

    It begins small: who was killed several times in a row shall not wait, and who cannot start soon costs little.
    """
    return 0.0 if crashes <= 1 else min(0.1 * 2.0 ** (crashes - 2), 30.0)


@dataclass(slots=True)
class _Running:
    program: Program
    log: Path
    process: Alive | None = None
    started: float = 0.0
    start_again: float = 0.0
    crashes: int = 0
    ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running, each with its own log file. Not for use by several threads."""

    programs: Iterable[Program]
    logs: Path
    exit_watcher: ExitWatcher | None = None
    launch: Callable[[Program, Path], Alive] = start
    on_end: Callable[[str], None] = lambda _: None
    """Called with the name of each program that has ended by itself."""
    _running: dict[str, _Running] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Start them all, at once."""
        for program in self.programs:
            self.add(program)

    def add(self, program: Program) -> None:
        """Start one more, and keep it running with the others."""
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._running[program.name] = _Running(program, self.logs / f"{program.name}.log")
        self._launch(self._running[program.name])

    def end(self, name: str, timeout_s: float = STOP_S) -> bool:
        """Ask this one to finish and start it no more; False if it had to be killed."""
        process = self._running.pop(name).process
        if process is None:
            return True
        process.send_signal(signal.SIGTERM)
        in_time = _ended(process, time.monotonic() + timeout_s)
        self._forget(process)
        return in_time

    def wait_ready(self, timeout_s: float = 60.0, stop: Event | None = None) -> None:
        """Return once every probe has answered 200, or `stop` is set.

        Raises StartFailed with the end of the log of one that did not get there.
        """
        stop = stop or Event()
        end = time.monotonic() + timeout_s
        with httpx.Client(timeout=2, trust_env=False) as client:
            while waiting := [it for it in self._running.values() if not _is_ready(it, client)]:
                self.tend()
                hopeless = [it for it in waiting if it.crashes >= TOO_MANY_CRASHES]
                if hopeless or time.monotonic() > end:
                    raise StartFailed(_why_not((hopeless or waiting)[0]))
                if stop.wait(0.05):
                    return

    def tend(self) -> list[str]:
        """Start again what has crashed and waited its pause; to be called several times a second.

        Says which have ended since, and where their logs are.
        """
        ended = []
        now = time.monotonic()
        for running in self._running.values():
            if running.process is not None and running.process.poll() is not None:
                self._note_exit(running, now)
                ended.append(
                    f"{running.program.name} has ended and is started again; its log: {running.log}"
                )
            if running.process is None and now >= running.start_again:
                self._launch(running)
        return ended

    def stop(self, timeout_s: float = STOP_S) -> list[str]:
        """Ask all to finish, kill those that have not within the time; the names of the killed."""
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
        """The process that runs this program now."""
        process = self._running[name].process
        return None if process is None else process.pid

    def _launch(self, running: _Running) -> None:
        running.process = self.launch(running.program, running.log)
        running.started = time.monotonic()
        if self.exit_watcher is not None:
            self.exit_watcher.watch(running.process.pid)

    def _note_exit(self, running: _Running, now: float) -> None:
        if running.process is not None:
            self._forget(running.process)
        self.on_end(running.program.name)
        running.crashes = 1 if now - running.started > STEADY_S else running.crashes + 1
        running.process, running.ready, running.start_again = (
            None,
            False,
            now + pause_s(running.crashes),
        )

    def _forget(self, process: Alive) -> None:
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


def _ended(process: Alive, end: float) -> bool:
    """Whether it ended by itself before `end`; if not, it is killed."""
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _why_not(running: _Running) -> str:
    lines = running.log.read_text(errors="replace").splitlines()[-15:]
    what = (
        f"ended {running.crashes} times"
        if running.crashes
        else f"does not answer at {running.program.probe}"
    )
    return "\n".join([f"{running.program.name} {what}; the end of {running.log}:", *lines])
