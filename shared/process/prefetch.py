"""The next poll, while the database works on the last one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

TURN_S = 0.001
"""Python runs one thread at a time; a turn of the one that works is 5 ms. Whoever reads ahead takes shorter ones, and
so reads mostly while the other one waits for the database."""
PAUSE_S = 0.000_05
"""As long as it takes the other one to wake: there is no event for that the interpreter is wanted."""


class Prefetch(Generic[T]):
    """Calls `read` at the asking, or before in a thread of its own.

    Whoever has begun must take before he touches again what `read` uses: two never do at once.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._reading: Future[T] | None = None
        self._turns = _Turns()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")

    def begin(self) -> None:
        """Read what the next `taken` gives."""
        self._turns.awaited = False
        self._reading = self._thread.submit(self._read_ahead)

    def result(self) -> T:
        """What was begun, or what is read now; raises what `read` raised."""
        if self._reading is None:
            return self._read()
        self._turns.awaited = True
        reading, self._reading = self._reading, None
        return reading.result()

    def _read_ahead(self) -> T:
        _OF_THREAD.turns = self._turns
        return self._read()

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._thread.shutdown()


def give_way() -> None:
    """Called now and then where much is read: lets the one that works go first, unless he waits for what is read."""
    if _OF_THREAD.turns is not None:
        _OF_THREAD.turns.give_way()


class _Turns:
    """Of a thread that reads ahead."""

    def __init__(self) -> None:
        self.awaited = False
        """What it reads is wanted now."""
        self._end_s = 0.0

    def give_way(self) -> None:
        """End this turn if it has been long enough."""
        if not self.awaited and time.monotonic() >= self._end_s:
            time.sleep(PAUSE_S)
            self._end_s = time.monotonic() + TURN_S


class _OfThread(threading.local):
    turns: _Turns | None = None
    """Of this thread, if it reads ahead."""


_OF_THREAD = _OfThread()
