"""One connection of a client: heads are limited in bytes and fields, heads and bodies in time.

uvicorn limits none of them: its parser keeps a head that never ends, and waits for ever for what does not come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf
from typing import ClassVar, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import LeadbatonError, Rejected
from shared.http.cors import readable_by
from shared.http.metrics import HTTP_REFUSED_CONNECTIONS
from shared.http.problems import problem


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a head may have, and how long a client may take."""

    head_bytes: int = 65_536
    fields: int = 100
    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: float = 10.0
    rest_s: float = 5.0
    """So long the rest of a body is read that was answered already, lest the client misses the answer."""


USUAL = ConnectionLimits()


class HeadTooLarge(Rejected):
    """The head of the request has more bytes, or more fields, than this API takes."""

    code = "head_too_large"
    status = 431


class TooSlow(Rejected):
    """The head, or the body, of the request did not come in time."""

    code = "too_slow"
    status = 408


class MalformedRequest(Rejected):
    """What came is not HTTP."""

    code = "malformed_request"
    status = 400


class Watch:
    """Looks now and then which connections have run out of time: one timer for all of them, none without any."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._every_s = min(1.0, limits.head_s / 4, limits.body_s / 4, limits.rest_s / 4)
        self._open: set[Connection] = set()
        self._runs = False

    def add(self, connection: Connection) -> None:
        """Watch the connection until it is closed."""
        self._open.add(connection)
        if not self._runs:
            self._runs = True
            connection.loop.call_later(self._every_s, self._look, connection.loop)

    def discard(self, connection: Connection) -> None:
        """Watch it no longer."""
        self._open.discard(connection)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in [it for it in self._open if it.ends_at <= now]:
            connection.end()
        self._runs = bool(self._open)
        if self._runs:
            loop.call_later(self._every_s, self._look, loop)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with limits."""

    limits: ClassVar[ConnectionLimits]
    watch: ClassVar[Watch]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.headers = []
        self._in_head = True
        self._heads = 0
        self._head_bytes = self._raw_bytes = self._body_bytes = 0
        self._refusal: LeadbatonError | None = None
        self._refused = False
        self._deadline = self.loop.time() + self.limits.head_s
        self._unread_at = inf
        self.watch.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.watch.discard(self)
        super().connection_lost(exc)

    @property
    def ends_at(self) -> float:
        """When the client's time is over, by the loop's clock."""
        return min(self._deadline, self._unread_at)

    def end(self) -> None:
        """Its time is over: say so if it can still be heard, and close."""
        if self._refused or self._unread_at <= self._deadline or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head and not self._head_bytes:  # nothing was asked
            self._refused = True
            self._deadline += self.limits.rest_s
            self.transport.close()
        elif self._in_head and self._answering():  # it has an answer to wait for
            self._deadline += self.limits.head_s
        elif self._in_head:
            self._refuse(TooSlow(f"the head did not come within {self.limits.head_s:g} s"))
        else:
            self._refuse(TooSlow(f"the body did not come within {self.limits.body_s:g} s"))

    def data_received(self, data: bytes) -> None:
        """Read it as far as the limits let it."""
        if self._refused:
            return
        if self._in_head:
            self._head_received(data)
            return
        self._raw_bytes += len(data)
        super().data_received(data)
        frames = self._raw_bytes - self._body_bytes
        if frames > self.limits.head_bytes + 8 * self._body_bytes and not self._in_head:
            self._refuse(HeadTooLarge("the body's chunks are hardly more than their frames"))

    def _head_received(self, data: bytes) -> None:
        if not self._head_bytes:
            self._deadline = self.loop.time() + self.limits.head_s
        room = self.limits.head_bytes - self._head_bytes
        rest = data[room:]
        heads = self._heads
        super().data_received(data[:room] if rest else data)
        if self._refused:
            return
        if self._heads == heads:
            self._head_bytes += len(data)
            if self._head_bytes >= self.limits.head_bytes:
                self._refuse(
                    HeadTooLarge(f"the head is larger than {self.limits.head_bytes} bytes")
                )
        elif rest:
            self.data_received(rest)

    def on_headers_complete(self) -> None:
        """The head is there: now the body has its time."""
        if len(self.headers) > self.limits.fields:
            self._refusal = HeadTooLarge(f"the head has more than {self.limits.fields} fields")
            raise self._refusal  # the parser ends, and calls `send_400_response`
        super().on_headers_complete()
        self._in_head = False
        self._heads += 1
        self._raw_bytes = self._body_bytes = 0
        self._deadline = self.loop.time() + self.limits.body_s

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there: the next part is ours, and may take as long as it takes."""
        super().on_message_complete()
        self.headers = []  # another list than the scope's: what comes is of the next request
        self._in_head = True
        self._head_bytes = 0
        self._deadline = inf if self._answering() else self._idle_until()

    def on_response_complete(self) -> None:
        """The answer is written: the rest of the body, if any, is of no use, and does not stay."""
        super().on_response_complete()
        if self._in_head:
            self._deadline = inf if self._answering() else self._idle_until()
        elif self._answering():  # it was read ahead, and begins now
            self._deadline = self.loop.time() + self.limits.body_s
        else:
            self.cycle.body = bytearray()
            self._deadline = self.loop.time() + self.limits.rest_s

    def pause_writing(self) -> None:
        """The client does not read its answer."""
        super().pause_writing()
        self._unread_at = self.loop.time() + self.limits.body_s

    def resume_writing(self) -> None:
        """It reads."""
        super().resume_writing()
        self._unread_at = inf

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """What uvicorn calls when the parser gives up."""
        self._refuse(self._refusal or MalformedRequest("this is no HTTP/1.1 request"))

    def _origin(self) -> bytes | None:
        """The site of the page that sends, if so much of the head is there."""
        return next((value for name, value in self.headers if name == b"origin"), None)

    def _answering(self) -> bool:
        return self._heads > 0 and not self.cycle.response_complete

    def _idle_until(self) -> float:
        """When a connection is closed on which nothing more is asked; uvicorn closes most of them before."""
        return self.loop.time() + self.limits.idle_s

    def _refuse(self, error: LeadbatonError) -> None:
        """Answer with the error unless another answer is under way, then read no more and close."""
        if self.transport.is_closing():
            return
        HTTP_REFUSED_CONNECTIONS.labels(error.code).inc()
        self._refused = True
        self._deadline = self.loop.time() + self.limits.rest_s
        if self._answering():
            if self._in_head or self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif not self._in_head:  # it was answered before
            self.transport.close()
            return
        self.transport.write(_response(error, self._origin()))
        self.flow.resume_reading()
        self.transport.write_eof()  # the answer ends here; what still comes is read, lest it is lost with a reset


def connections(limits: ConnectionLimits = USUAL) -> type[Connection]:
    """The class of the connections of one server, as uvicorn wants it."""

    class Limited(Connection):
        pass

    Limited.limits = limits
    Limited.watch = Watch(limits)
    return Limited


def _response(error: LeadbatonError, origin: bytes | None) -> bytes:
    response = problem(error)
    if origin is not None:
        response.headers.update(readable_by(origin.decode("latin-1")))
    fields = [b"%s: %s\r\n" % field for field in response.raw_headers]
    return b"".join(
        [STATUS_LINE[error.status], *fields, b"connection: close\r\n\r\n", bytes(response.body)]
    )
