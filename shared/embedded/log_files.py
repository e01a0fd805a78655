"""Log files of processes that run for months: a few files each, of bounded size, the newest lines in the first.

A process of ours moves on to a new file by itself, and loses no line: nobody stands between it and its file, so nothing
happens to it when its supervisor dies. PostgreSQL and the broker cannot do that; their file is copied and emptied.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

MAX_BYTES = 20_000_000
"""At the next look a process leaves a file that is larger, so it grows a little beyond."""
FILES = 3
"""`relay.log`, and the older `relay.log.1` and `relay.log.2`."""
LOOK_EVERY_S = 0.25
STREAMS = (1, 2)
"""Standard output and standard error."""


def open_log(log: Path, max_bytes: int = MAX_BYTES) -> int:
    """A descriptor that writes to the end of `log`, to a new file if that is too large; nobody may write to it now."""
    if _size(log) > max_bytes:
        _make_room(log)
        log.rename(older(log, 1))
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def log_to(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Send what this process writes to its standard output and error to the end of `log`, which stays bounded."""
    with _closing(open_log(log, max_bytes)) as descriptor:
        _point_streams_at(descriptor)
    Thread(target=_keep_bounded, args=(log, max_bytes), name="log", daemon=True).start()


def cut(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Copy the file of another program to an older one and empty it, if it is too large and a disk takes the copy.

    The program must append. A line that it writes between the end of the copy and the emptying, microseconds, is lost.
    """
    if _size(log) <= max_bytes:
        return
    copy = older(log, 1)
    with suppress(OSError):
        _make_room(log)
        try:
            _move_content(log, copy)
        except OSError:
            copy.unlink(missing_ok=True)  # a full disk needs its bytes
            raise


def older(log: Path, number: int) -> Path:
    """Where the lines are that were in `log` so many files ago."""
    return log.with_name(f"{log.name}.{number}")


def _keep_bounded(log: Path, max_bytes: int) -> None:
    while True:
        with suppress(OSError):  # as on a full disk: go on in the same file, try again
            if os.fstat(STREAMS[0]).st_size > max_bytes:
                _move_on(log)
        time.sleep(LOOK_EVERY_S)


def _move_on(log: Path) -> None:
    """Let this process write to a new file from here on; each line goes to the old one or to the new one."""
    new = log.with_name(f"{log.name}.new")
    with _closing(open_log(new)) as descriptor:
        _make_room(log)
        with suppress(FileNotFoundError):  # somebody else moved it away
            log.rename(older(log, 1))
        new.rename(log)
        _point_streams_at(descriptor)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _point_streams_at(descriptor: int) -> None:
    for stream in STREAMS:
        os.dup2(descriptor, stream)


def _make_room(log: Path) -> None:
    """Move each older file one further, over the oldest."""
    for number in range(FILES - 1, 1, -1):
        with suppress(FileNotFoundError):
            older(log, number - 1).rename(older(log, number))


def _move_content(log: Path, copy: Path) -> None:
    private = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as target, log.open("r+b") as source:
        status = os.fstat(source.fileno())
        os.fchown(target.fileno(), status.st_uid, status.st_gid)
        shutil.copyfileobj(source, target)
        target.flush()
        while rest := source.read():  # what came meanwhile
            target.write(rest)
            target.flush()
        source.truncate(0)


def _size(log: Path) -> int:
    with suppress(OSError):
        return log.stat().st_size
    return 0
