"""The next poll, while the database works on the last one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Calls `read` at the asking, or before in a thread of its own.

    Whoever has begun must take before he touches again what `read` uses: two never do at once.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._reading: Future[T] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")

    def begin(self) -> None:
        """Read what the next `taken` gives."""
        self._reading = self._thread.submit(self._read)

    def taken(self) -> T:
        """What was begun, or what is read now; raises what `read` raised."""
        if self._reading is None:
            return self._read()
        reading, self._reading = self._reading, None
        return reading.result()

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
