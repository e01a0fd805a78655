"""What is sent and not acknowledged yet: bounded, because the client's own buffer is not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.contracts.topic import Outgoing
from shared.kafka.errors import BrokerAway

PATIENCE_S = 2.5
"""How long a record may be unacknowledged before the broker counts as away."""
OVERHEAD_BYTES = 400
"""What a record takes beside its key and value: headers, and the client's own objects."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that may be unacknowledged at once: the client's own buffer has no limit."""

    records: int = 20_000
    bytes: int = 32_000_000


class Flight:
    """The records of one `publish` under way; the first to be lost or the last to land ends the wait."""

    def __init__(self, pending: Pending, records: Sequence[Outgoing]) -> None:
        self.records = records
        self.bytes = sum(len(it.key) + len(it.value) + OVERHEAD_BYTES for it in records)
        self.began_s = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Exception | None] = self._loop.create_future()
        self._left = len(records)
        self._lock = threading.Lock()
        self._pending = pending

    async def outcome(self, timeout_s: float) -> Exception | None:
        """Why a record did not land; None once all have landed."""
        late = BrokerAway(f"acknowledged nothing for {timeout_s} s")
        timer = self._loop.call_later(timeout_s, self._end, late)
        try:
            return await self._outcome
        finally:
            timer.cancel()

    def landed(self, _ack: object) -> None:
        """One is acknowledged; called in the client's thread."""
        self._count(None)

    def lost(self, error: Exception) -> None:
        """One will never be acknowledged."""
        self._count(error)

    def _count(self, error: Exception | None) -> None:
        self._pending.learn(answers=error is None)
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._pending.remove(self)
        if last or error is not None:
            with suppress(RuntimeError):  # the loop may have ended before its records
                self._loop.call_soon_threadsafe(self._end, error)

    def _end(self, error: Exception | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(error)


class Pending:
    """What is unacknowledged: counted, weighed, and its oldest known."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._flights: dict[Flight, None] = {}
        self._records = 0
        self._bytes = 0
        self._doubted = False
        self._lock = threading.Lock()

    def add(self, flight: Flight) -> None:
        """Take the flight on, or raise BrokerAway when there is too much, or it is too old, already."""
        with self._lock:
            if self._away():
                raise BrokerAway("Kafka has acknowledged nothing for a while")
            if (
                self._records + len(flight.records) > self._bound.records
                or self._bytes + flight.bytes > self._bound.bytes
            ):
                raise BrokerAway(f"{self._records} records wait for Kafka already")
            self._flights[flight] = None
            self._records += len(flight.records)
            self._bytes += flight.bytes

    def remove(self, flight: Flight) -> None:
        """The flight is over."""
        with self._lock:
            del self._flights[flight]
            self._records -= len(flight.records)
            self._bytes -= flight.bytes

    def learn(self, *, answers: bool) -> None:
        """A record was acknowledged, or lost: until one is acknowledged again, one flight at a time tries it."""
        with self._lock:
            self._doubted = not answers

    def away(self) -> bool:
        """Whether nobody should wait for the broker now: the oldest waits too long, or tries whether it is back."""
        with self._lock:
            return self._away()

    def _away(self) -> bool:
        oldest = next(iter(self._flights), None)
        if oldest is None:
            return False
        return self._doubted or time.monotonic() - oldest.began_s > PATIENCE_S
