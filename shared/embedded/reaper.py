"""Ends what a crashed owner left running, so that no process outlives the one that looks after it.

The owner writes `+PID SIGNAL` and `-PID` into the reaper's standard input. When that ends, however the
owner ended, the reaper stops everybody who is still on its list. It holds the owner's lock until then.
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
"""How long a process has between being asked and being killed."""


class Reaper:
    """A process beside ours that knows which processes must not outlive us."""

    def __init__(self, lock: int) -> None:
        """`lock` is a file descriptor that the reaper keeps open until everybody is gone."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shared.embedded.reaper"],
            stdin=subprocess.PIPE,
            pass_fds=[lock],
            start_new_session=True,
            text=True,
            bufsize=1,
        )

    def watch(self, pid: int, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """Should we crash, end this process with this signal."""
        self._tell(f"+{pid} {stop_signal.value}\n")

    def forget(self, pid: int) -> None:
        """This process has ended."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """End it, and with it everybody who is still on its list."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line)


def survivors(lines: Iterable[str]) -> dict[int, int]:
    """Who is on the list when it ends, and the signal that stops each."""
    alive: dict[int, int] = {}
    for line in lines:
        words = line[1:].split()
        if line.startswith("+"):
            alive[int(words[0])] = int(words[1])
        else:
            alive.pop(int(words[0]), None)
    return alive


def reap(alive: dict[int, int], *, grace_s: float = GRACE_S) -> None:
    """Ask everybody to stop; kill those who are still there when the grace is over."""
    for pid, stop_signal in reversed(alive.items()):
        _send(pid, stop_signal)
    end = time.monotonic() + grace_s
    while any(lives(pid) for pid in alive) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in alive:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def lives(pid: int) -> bool:
    """Whether this process runs still; one that has ended but that nobody asked after (a zombie) does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """Whether it has ended, and its parent has not asked how. Where there is no /proc we cannot tell: no."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second, if it ends while it is read
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    reap(survivors(sys.stdin))
