"""A process that ends the remaining processes of an owner that has crashed.

The owner writes `+PID SIGNAL` and `-PID` into the reaper's standard input. When that input ends, for whatever
reason, the reaper stops all processes that are still on its list. It keeps the owner's lock until then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

GRACE_S = 10.0
"""How long a process may take to end before it is killed."""


class Reaper:
    """The owner's connection to its reaper."""

    def __init__(self, lock: int) -> None:
        """Start the reaper, which keeps the file descriptor `lock` open until all processes have ended."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shared.embedded.reaper"],
            stdin=subprocess.PIPE,
            pass_fds=[lock],
            start_new_session=True,
            text=True,
            bufsize=1,
        )

    def watch(self, pid: int, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """Add a process, which is ended by this signal if the owner crashes."""
        self._write(f"+{pid} {stop_signal.value}\n")

    def forget(self, pid: int) -> None:
        """Remove a process that has ended."""
        self._write(f"-{pid}\n")

    def close(self) -> None:
        """End the reaper and all processes that are still on its list."""
        self._process.communicate()

    def _write(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line)


def pids_left(lines: Iterable[str]) -> dict[int, int]:
    """The pids that are on the list after the last line, each with the signal that stops it."""
    alive: dict[int, int] = {}
    for line in lines:
        words = line[1:].split()
        if line.startswith("+"):
            alive[int(words[0])] = int(words[1])
        else:
            alive.pop(int(words[0]), None)
    return alive


def reap(alive: dict[int, int], *, grace_s: float = GRACE_S) -> None:
    """Signal all processes, the newest first, and kill those that still run after the grace."""
    for pid, stop_signal in reversed(alive.items()):
        _send(pid, stop_signal)
    end = time.monotonic() + grace_s
    while any(is_alive(pid) for pid in alive) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in alive:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie, which has ended and whose parent has not asked for its status, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """Whether the process has ended without its parent having asked for its status; False where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second, if it ends while it is read
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    reap(pids_left(sys.stdin))
