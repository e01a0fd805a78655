"""Log files of bounded size: a few files for each process, the newest lines in the first.

A Python process of Leadbaton moves on to a new file by itself and loses no line; its log does not depend on its
supervisor. PostgreSQL and the broker cannot do that, so their file is copied and emptied.
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
"""A process that finds its file larger starts a new one. It checks now and then, so files get a little larger."""
FILES = 3
"""The number of files of a process: `relay.log`, and the older `relay.log.1` and `relay.log.2`."""
CHECK_S = 0.25
STREAMS = (1, 2)
"""The descriptors of standard output and standard error."""


def open_log(log: Path, max_bytes: int = MAX_BYTES) -> int:
    """A descriptor that appends to `log`, or to a new file if it is too large. No process may be writing to it."""
    if _size(log) > max_bytes:
        _make_room(log)
        log.rename(older_log(log, 1))
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def log_to(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Append the standard output and error of this process to `log`, and keep its size bounded from now on."""
    with _closing(open_log(log, max_bytes)) as descriptor:
        _point_streams_at(descriptor)
    Thread(target=_keep_bounded, args=(log, max_bytes), name="log", daemon=True).start()


def shrink_log(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Copy the file of another program to an older one and empty it, if it is too large and the disk has room.

    The program must append. A line that it writes in the microseconds between copying and emptying is lost.
    """
    if _size(log) <= max_bytes:
        return
    copy = older_log(log, 1)
    with suppress(OSError):
        _make_room(log)
        try:
            _move_content(log, copy)
        except OSError:
            copy.unlink(missing_ok=True)  # a full disk needs the space
            raise


def older_log(log: Path, number: int) -> Path:
    """The path of an older file of `log`; number 1 is the newest of these."""
    return log.with_name(f"{log.name}.{number}")


def _keep_bounded(log: Path, max_bytes: int) -> None:
    while True:
        with suppress(OSError):  # as on a full disk: keep the file and try again
            if os.fstat(STREAMS[0]).st_size > max_bytes:
                _start_new_file(log)
        time.sleep(CHECK_S)


def _start_new_file(log: Path) -> None:
    """Let this process write to a new file from now on. No line is lost between the two files."""
    new = log.with_name(f"{log.name}.new")
    with _closing(open_log(new)) as descriptor:
        _make_room(log)
        with suppress(FileNotFoundError):  # another program has moved it
            log.rename(older_log(log, 1))
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
    """Rename each older file to the next number; the oldest is overwritten."""
    for number in range(FILES - 1, 1, -1):
        with suppress(FileNotFoundError):
            older_log(log, number - 1).rename(older_log(log, number))


def _move_content(log: Path, copy: Path) -> None:
    private = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as target, log.open("r+b") as source:
        status = os.fstat(source.fileno())
        os.fchown(target.fileno(), status.st_uid, status.st_gid)
        shutil.copyfileobj(source, target)
        target.flush()
        while rest := source.read():  # lines that were written meanwhile
            target.write(rest)
            target.flush()
        source.truncate(0)


def _size(log: Path) -> int:
    with suppress(OSError):
        return log.stat().st_size
    return 0
