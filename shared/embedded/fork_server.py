"""Starts processes that have nothing left to import: one Python imports everything once, then forks for each.

Its owner writes one line of JSON for each process into the fork server's standard input, a socket, and reads the pid as
the answer. The fork server ends when that input does; the processes live on. It has one thread and no connections, so a
fork of it is as good as a new process.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from shared.embedded.log_files import MAX_BYTES, log_to
from shared.embedded.reaper import lives
from shared.embedded.supervisor import Program, StartFailed

LOOK_EVERY_S = 0.01


class Child:
    """A process that the fork server has started: what `Popen` is for our own children, as far as we need it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it runs; how it ended only the fork server could know, and nobody asks."""
        return None if lives(self.pid) else 0

    def wait(self, timeout: float | None = None) -> int:
        """Return when it has ended; raises TimeoutExpired. It is no child of ours, so nothing wakes us then."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(LOOK_EVERY_S)
        return 0

    def send_signal(self, number: int) -> None:
        """Send it, if the process runs still."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """Where programs of the form `python -m MODULE …` are started, with `modules` imported already."""

    def __init__(self, modules: Iterable[str], max_log_bytes: int = MAX_BYTES) -> None:
        self._modules = tuple(modules)
        self._max_log_bytes = max_log_bytes
        self._open()  # it imports while others start

    def start(self, program: Program, log: Path) -> Child:
        """Start it; what it writes goes to the end of `log`, which stays bounded.

        Raises StartFailed when there is no fork server to be had.
        """
        request = {
            "argv": program.argv[2:],
            "environment": dict(program.environment),
            "log": str(log),
            "max_log_bytes": self._max_log_bytes,
        }
        for _ in range(2):  # it may have died since; a second death has a reason
            if pid := self._answer(orjson.dumps(request)):
                return Child(int(pid))
            self.close()
            self._open()
        raise StartFailed(f"{program.name} cannot be started: what it needs cannot be imported")

    def _answer(self, request: bytes) -> bytes:
        """The pid, or nothing from a fork server that has died."""
        try:
            self._wire.sendall(request + b"\n")
            return self._wire.recv(32)
        except OSError:
            return b""

    def _open(self) -> None:
        self._wire, server_end = socket.socketpair()
        with server_end:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, *self._modules],
                stdin=server_end.fileno(),
                start_new_session=True,
            )

    def close(self) -> None:
        """Start nothing more."""
        self._wire.close()
        self._process.wait()


def asked_for(lines: Iterable[bytes]) -> dict[str, Any] | None:
    """Fork for each line; in the child, what it shall become; None when there are no more."""
    for line in lines:
        if (pid := os.fork()) == 0:
            return dict(orjson.loads(line))
        os.write(0, b"%d\n" % pid)
    return None


def become(request: dict[str, Any]) -> None:
    """Be this process from here on: its own session, its environment, its log."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(request["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    log_to(Path(request["log"]), request["max_log_bytes"])
    sys.argv = list(request["argv"])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        import_module(name)
    gc.freeze()  # what is imported is never looked at again, so its pages stay shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets our children's ends for us
    if (life := asked_for(sys.stdin.buffer)) is not None:
        become(life)
