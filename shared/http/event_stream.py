"""Streams of changes as server-sent events: resumable, limited in number, ended with the key and at shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Protocol

from fastapi import Header, Request
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.auth.key_cache import KeyCache
from shared.auth.keys import Caller, ExpiredKey, KeyScope, UnknownKey, WrongScope
from shared.db.outages import OUTAGES, is_outage
from shared.errors import Rejected, Unavailable
from shared.http.headers import presented_key
from shared.http.problems import problems

HEARTBEAT_S = 10.0
"""How often a stream says that it is alive, and checks its key."""

MAX_STREAMS = 1_000
"""Streams that a process has open at once."""

MAX_LAST_EVENT_ID = 30_000
"""Characters of `Last-Event-ID`: a number for each partition that is read."""

UNTIMED = "leadbaton.untimed"
"""The key in the scope of a request whose duration is that until its response begins."""

STREAM_DESCRIPTION = """Server-sent events. `id` is a position: send the last one as `Last-Event-ID` to get what came
after it.

| `event` | |
| --- | --- |
| the name of a topic | a change; `data` is JSON |
| `start` | the first event of a stream that resumes nothing: changes from now on will follow |
| `reload` | changes are missing, because the position is too old or this client reads too slowly: read the lists anew |
| `outage` | Kafka does not answer; changes follow later |
| `recovered` | changes follow again, none is missing |

Every 10 seconds comes a comment, often with a newer `id`. The stream ends when the key does. A change may come
twice."""


class TooManyStreams(Unavailable):
    """This process has as many streams open as it may have."""

    code = "too_many_streams"
    retry_after_s = 10


class NoStreams(Rejected):
    """This API runs without Kafka, from which changes come."""

    code = "no_streams"
    status = 404


STREAM_PROBLEMS: dict[int | str, dict[str, Any]] = {
    200: {"description": STREAM_DESCRIPTION},
    **problems(UnknownKey, ExpiredKey, WrongScope, TooManyStreams, NoStreams),
}

LastEventId = Annotated[
    str | None,
    Header(
        max_length=MAX_LAST_EVENT_ID,
        description="The `id` of the last event that was received; browsers send it by themselves.",
    ),
]


class Subscription(Protocol):
    """One client's part of a source of changes. All methods are called on the event loop."""

    async def take(self, timeout_s: float) -> bytes:
        """The chunks that have come since; empty after the time, or after `wake`."""

    def position(self) -> str | None:
        """The position after everything that was taken; None while more is to be taken, or none is known."""

    def wake(self) -> None:
        """End the present `take`."""

    def has_ended(self) -> bool:
        """Whether nothing more will come."""

    def close(self) -> None:
        """End the subscription."""


class ChangeSource(Protocol):
    """Where changes come from."""

    def subscribe(self, rep: str | None, last_event_id: str | None) -> Subscription:
        """The changes from now on, or after this position; with a rep only those that the rep may see."""


class OpenStreams:
    """The streams that a process has open, on its event loop."""

    def __init__(self, limit: int = MAX_STREAMS, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._limit = limit
        self.heartbeat_s = heartbeat_s
        self._open: set[EventStream] = set()
        self.is_ending = False

    def add(self, stream: EventStream) -> None:
        """Add a stream; raises TooManyStreams."""
        if self.is_ending or len(self._open) >= self._limit:
            raise TooManyStreams(f"{len(self._open)} streams are open: try again in a moment")
        self._open.add(stream)

    def discard(self, stream: EventStream) -> None:
        """Remove a stream that has ended."""
        self._open.discard(stream)

    def end_all(self) -> None:
        """End all streams, and open no more."""
        self.is_ending = True
        for stream in self._open:
            stream.subscription.wake()


class EventStream(StreamingResponse):
    """The response that hands on changes until the client leaves, its key ends, or the process ends."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, subscription: Subscription) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(self._chunks(), headers=headers)
        self.subscription = subscription
        self._streams: OpenStreams = request.app.state.streams
        self._keys: KeyCache = request.app.state.keys
        self._key = presented_key(request.scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        scope[UNTIMED] = True
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.close()

    def close(self) -> None:
        """Release what the stream holds."""
        self._streams.discard(self)
        self.subscription.close()

    async def _chunks(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        beat_at_s = loop.time()
        while not (self._streams.is_ending or self.subscription.has_ended()):
            if loop.time() >= beat_at_s:
                if not await run_in_threadpool(self._key_is_valid):
                    return
                yield format_sse_event(comment="", id=self.subscription.position())
                beat_at_s = loop.time() + self._streams.heartbeat_s
            chunk = await self.subscription.take(beat_at_s - loop.time())
            if chunk:
                yield chunk

    def _key_is_valid(self) -> bool:
        """Whether the key is still valid; it counts as valid while the database is away."""
        try:
            self._keys.key(self._key)
        except Rejected:
            return False
        except OUTAGES as error:
            if not is_outage(error):
                raise
        return True


def open_stream(request: Request, caller: Caller, last_event_id: str | None) -> EventStream:
    """A stream of the app's changes that the caller may see; raises TooManyStreams or NoStreams.

    Call it in an `async` route: the subscription belongs to the event loop.
    """
    source: ChangeSource | None = request.app.state.changes
    if source is None:
        raise NoStreams("this API runs without Kafka: it has no streams of changes")
    rep = caller.subject if caller.scope is KeyScope.REP else None
    streams: OpenStreams = request.app.state.streams
    stream = EventStream(request, source.subscribe(rep, last_event_id))
    try:
        streams.add(stream)
    except TooManyStreams:
        stream.subscription.close()
        raise
    return stream
