"""One subscriber of a feed, and the chunks of server-sent events that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import orjson
from fastapi.sse import format_sse_event

from shared.messaging.ring import Entry


class FeedSubscriber:
    """The chunks that wait for one subscriber.

    It is used on the event loop; the feed's thread calls `call` and `hand` alone.
    """

    def __init__(
        self,
        unsubscribe: Callable[[FeedSubscriber], None],
        rep: str | None,
        last_event_id: str | None,
        *,
        limit: int,
    ) -> None:
        self.rep = rep
        self.last_event_id = last_event_id
        self.has_started = False
        self._unsubscribe = unsubscribe
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._chunks: list[bytes] = []
        self._position: str | None = None
        self._has_ended = False

    def hand(self, chunks: Sequence[bytes], position: str | None) -> None:
        """Deliver the chunks on the event loop."""
        self.call(lambda: self.deliver(chunks, position))

    def call(self, action: Callable[[], None]) -> None:
        """Call the action on the event loop, unless that has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(action)

    def deliver(self, chunks: Sequence[bytes], position: str | None) -> None:
        """Queue the chunks; where too many wait, `reload` takes the place of all."""
        self._position = position or self._position
        if len(self._chunks) + len(chunks) > self._limit and position is not None:
            self._chunks = [reload_chunk(position)]
        else:
            self._chunks += chunks
        if chunks:
            self._wake.set()

    async def take(self, timeout_s: float) -> bytes:
        """The chunks that have come since; empty after the time, or after `wake`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(timeout_s, 0))
        self._wake.clear()
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)

    def position(self) -> str | None:
        """The position after everything that was taken; None while more is to be taken, or none is known."""
        return None if self._chunks else self._position

    def wake(self) -> None:
        """End the present `take`."""
        self._wake.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._has_ended = True
        self._wake.set()

    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._has_ended

    def close(self) -> None:
        """End the subscription."""
        self._unsubscribe(self)


def visible_chunks(entries: Sequence[Entry], rep: str | None) -> list[bytes]:
    """The chunks of those entries that the rep may see, or of all where it is None."""
    return [chunk for it in entries if (chunk := it.visible_to(rep)) is not None]


def start_chunk(position: str) -> bytes:
    """The first chunk of a subscriber that resumes nothing."""
    return chunk_of("start", b"{}", position)


def reload_chunk(position: str) -> bytes:
    """The chunk that says that changes before this position are missing."""
    return chunk_of("reload", b"{}", position)


def recovered_chunk(position: str) -> bytes:
    """The chunk that says that an outage has ended and nothing is missing."""
    return chunk_of("recovered", b"{}", position)


def outage_chunk(reason: str) -> bytes:
    """The chunk that says that nothing can be read now."""
    return format_sse_event(event="outage", data_str=orjson.dumps({"message": reason}).decode())


def chunk_of(event: str, json: bytes, position: str) -> bytes:
    """One event as it is sent."""
    return format_sse_event(event=event, data_str=json.decode(), id=position)
