"""Starts processes fast: one Python process imports all modules once, and forks for each new process.

Its owner writes one line of JSON for each process into the fork server's standard input, a socket, and reads back the
pid. The fork server ends when that input ends; the processes go on. It has one thread and no connections, so nothing
of it disturbs a fork.
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
from shared.embedded.reaper import is_alive
from shared.embedded.supervisor import Program, StartFailed

POLL_S = 0.01


class ForkedProcess:
    """A process that the fork server has started, with the methods of `Popen` that are needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it runs, 0 after its end: the exit status of another process's child is unknown."""
        return None if is_alive(self.pid) else 0

    def wait(self, timeout: float | None = None) -> int:
        """Return when it has ended; raises TimeoutExpired. It polls, because the process is no child of this one."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(POLL_S)
        return 0

    def send_signal(self, number: int) -> None:
        """Send the signal, unless the process has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """Starts programs of the form `python -m MODULE …` with `modules` imported already."""

    def __init__(self, modules: Iterable[str], max_log_bytes: int = MAX_BYTES) -> None:
        self._modules = tuple(modules)
        self._max_log_bytes = max_log_bytes
        self._open()  # it imports while the servers start

    def start(self, program: Program, log: Path) -> ForkedProcess:
        """Start the program; its output is appended to `log`, whose size stays bounded.

        Raises StartFailed when the fork server cannot be started.
        """
        request = {
            "argv": program.argv[2:],
            "environment": dict(program.environment),
            "log": str(log),
            "max_log_bytes": self._max_log_bytes,
        }
        for _ in range(
            2
        ):  # the fork server may have been killed; a second failure has another cause
            if pid := self._answer(orjson.dumps(request)):
                return ForkedProcess(int(pid))
            self.close()
            self._open()
        raise StartFailed(f"{program.name} cannot be started: its modules cannot be imported")

    def _answer(self, request: bytes) -> bytes:
        """The pid, or nothing where the fork server has ended."""
        try:
            self._socket.sendall(request + b"\n")
            return self._socket.recv(32)
        except OSError:
            return b""

    def _open(self) -> None:
        self._socket, server_end = socket.socketpair()
        with server_end:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, *self._modules],
                stdin=server_end.fileno(),
                start_new_session=True,
            )

    def close(self) -> None:
        """End the fork server."""
        self._socket.close()
        self._process.wait()


def fork_for_each(lines: Iterable[bytes]) -> dict[str, Any] | None:
    """Fork for each line. It returns the line's request in each child, and None in the parent at the end."""
    for line in lines:
        if (pid := os.fork()) == 0:
            return dict(orjson.loads(line))
        os.write(0, b"%d\n" % pid)
    return None


def run_as(request: dict[str, Any]) -> None:
    """Turn this process into the requested one, with its own session, environment and log."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(request["environment"])
    empty_input = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty_input, 0)
    log_to(Path(request["log"]), request["max_log_bytes"])
    sys.argv = list(request["argv"])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        import_module(name)
    gc.freeze()  # the garbage collector then leaves the pages of imported modules unchanged, and so shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave no zombies
    if (request := fork_for_each(sys.stdin.buffer)) is not None:
        run_as(request)
