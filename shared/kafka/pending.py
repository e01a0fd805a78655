"""Records that are sent and not acknowledged yet. They are limited, because the client's own buffer is not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.contracts.topic import Outgoing
from shared.kafka.errors import BrokerAway

MAX_WAIT_S = 2.5
"""How long a record may be unacknowledged before the broker counts as away."""
OVERHEAD_BYTES = 400
"""An estimate of the memory that a record takes beside its key and value."""


@dataclass(frozen=True, slots=True)
class PendingLimit:
    """How much may be unacknowledged at once."""

    records: int = 20_000
    bytes: int = 32_000_000


class PublishRequest:
    """The records of one `publish`. The wait ends with the first error or the last acknowledgement."""

    def __init__(self, pending: Pending, records: Sequence[Outgoing]) -> None:
        self.records = records
        self.bytes = sum(len(it.key) + len(it.value) + OVERHEAD_BYTES for it in records)
        self.began_s = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Exception | None] = self._loop.create_future()
        self._remaining = len(records)
        self._lock = threading.Lock()
        self._pending = pending

    async def outcome(self, timeout_s: float) -> Exception | None:
        """Wait for the records; return None once all are acknowledged, else the first error or a BrokerAway."""
        late = BrokerAway(f"acknowledged nothing for {timeout_s} s")
        timer = self._loop.call_later(timeout_s, self._finish, late)
        try:
            return await self._outcome
        finally:
            timer.cancel()

    def on_ack(self, _ack: object) -> None:
        """The client's thread calls this for each record that is acknowledged."""
        self._count_outcome(None)

    def on_error(self, error: Exception) -> None:
        """The client's thread calls this for each record that will never be acknowledged."""
        self._count_outcome(error)

    def _count_outcome(self, error: Exception | None) -> None:
        self._pending.note_outcome(acknowledged=error is None)
        with self._lock:
            self._remaining -= 1
            is_last = self._remaining == 0
        if is_last:
            self._pending.remove(self)
        if is_last or error is not None:
            with suppress(RuntimeError):  # the loop may have ended already
                self._loop.call_soon_threadsafe(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(error)


class Pending:
    """All requests with unacknowledged records, the oldest first."""

    def __init__(self, limit: PendingLimit) -> None:
        self._limit = limit
        self._requests: dict[PublishRequest, None] = {}
        self._records = 0
        self._bytes = 0
        self._last_failed = False
        self._lock = threading.Lock()

    def add(self, request: PublishRequest) -> None:
        """Add the request; raise BrokerAway when too much is pending, or the broker counts as away."""
        with self._lock:
            if self._counts_as_away():
                raise BrokerAway("Kafka has acknowledged nothing for a while")
            if (
                self._records + len(request.records) > self._limit.records
                or self._bytes + request.bytes > self._limit.bytes
            ):
                raise BrokerAway(f"{self._records} records wait for Kafka already")
            self._requests[request] = None
            self._records += len(request.records)
            self._bytes += request.bytes

    def remove(self, request: PublishRequest) -> None:
        """Remove a request whose records all have an outcome."""
        with self._lock:
            del self._requests[request]
            self._records -= len(request.records)
            self._bytes -= request.bytes

    def note_outcome(self, *, acknowledged: bool) -> None:
        """Note the outcome of a record. After an error one request at a time is pending, until one is acknowledged."""
        with self._lock:
            self._last_failed = not acknowledged

    def away(self) -> bool:
        """Whether the broker counts as away: the oldest request waits too long, or is the attempt after an error."""
        with self._lock:
            return self._counts_as_away()

    def _counts_as_away(self) -> bool:
        oldest = next(iter(self._requests), None)
        if oldest is None:
            return False
        return self._last_failed or time.monotonic() - oldest.began_s > MAX_WAIT_S
