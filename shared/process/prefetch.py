"""Reads the next batch in a thread while the database works on the present one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

TURN_S = 0.001
"""Python runs one thread at a time and switches every 5 ms. The reading thread stops itself after this time, so that
it runs mostly while the working thread waits for the database."""
PAUSE_S = 0.000_05
"""The working thread needs so long to take over. Python has no event for a thread that waits for the interpreter."""


class Prefetch(Generic[T]):
    """Calls `read` when its result is needed, or earlier in a thread of its own.

    After `begin`, the caller must call `result` before it uses again what `read` uses.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._reading: Future[T] | None = None
        self._turns = _ReaderTurns()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")

    def begin(self) -> None:
        """Start to read in the thread; the next call of `result` returns it."""
        self._turns.awaited = False
        self._reading = self._thread.submit(self._read_ahead)

    def result(self) -> T:
        """The result of `begin`, or of a call of `read` now; raises what `read` raised."""
        if self._reading is None:
            return self._read()
        self._turns.awaited = True
        reading, self._reading = self._reading, None
        return reading.result()

    def _read_ahead(self) -> T:
        _THREAD.turns = self._turns
        return self._read()

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown()


def yield_to_worker() -> None:
    """Let the working thread run, unless it waits for the result of this one. Call it often while reading."""
    if _THREAD.turns is not None:
        _THREAD.turns.pause_after_turn()


class _ReaderTurns:
    """The turns of a thread that reads in advance."""

    def __init__(self) -> None:
        self.awaited = False
        """Whether the working thread waits for the result."""
        self._turn_ends_at_s = 0.0

    def pause_after_turn(self) -> None:
        """Pause after TURN_S, unless the result is awaited."""
        if not self.awaited and time.monotonic() >= self._turn_ends_at_s:
            time.sleep(PAUSE_S)
            self._turn_ends_at_s = time.monotonic() + TURN_S


class _Thread(threading.local):
    turns: _ReaderTurns | None = None


_THREAD = _Thread()
