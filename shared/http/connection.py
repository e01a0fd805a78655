"""One HTTP connection, with limits on the size of the head and on the time for head and body.

uvicorn has no such limits: its parser keeps a head that never ends, and waits for ever for missing bytes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf
from typing import ClassVar, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import LeadbatonError, Rejected
from shared.http.metrics import HTTP_REFUSED_CONNECTIONS
from shared.http.problems import cors_headers, problem


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The largest head (bytes, number of fields), and the longest times in seconds."""

    head_bytes: int = 65_536
    fields: int = 100
    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: float = 10.0
    drain_s: float = 5.0
    """The rest of a body is read for so long after the response, because closing earlier can lose the response."""


DEFAULT_LIMITS = ConnectionLimits()


class HeadTooLarge(Rejected):
    """The head of the request has more bytes, or more fields, than this API takes."""

    code = "head_too_large"
    status = 431


class TooSlow(Rejected):
    """The head or the body of the request did not arrive in time."""

    code = "too_slow"
    status = 408


class MalformedRequest(Rejected):
    """The bytes that arrived are not an HTTP request."""

    code = "malformed_request"
    status = 400


class DeadlineWatch:
    """Ends connections whose deadline has passed. One timer serves all connections; without any it does not run."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._interval_s = min(1.0, limits.head_s / 4, limits.body_s / 4, limits.drain_s / 4)
        self._open: set[Connection] = set()
        self._is_running = False

    def add(self, connection: Connection) -> None:
        """Watch the connection until it is closed."""
        self._open.add(connection)
        if not self._is_running:
            self._is_running = True
            connection.loop.call_later(self._interval_s, self._end_late, connection.loop)

    def discard(self, connection: Connection) -> None:
        """Stop watching the connection."""
        self._open.discard(connection)

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in [it for it in self._open if it.deadline <= now]:
            connection.end()
        self._is_running = bool(self._open)
        if self._is_running:
            loop.call_later(self._interval_s, self._end_late, loop)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with the limits of this module."""

    limits: ClassVar[ConnectionLimits]
    watch: ClassVar[DeadlineWatch]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time limit for the first head."""
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
        """Stop watching this connection."""
        self.watch.discard(self)
        super().connection_lost(exc)

    @property
    def deadline(self) -> float:
        """The time, on the event loop's clock, at which the client has used up its time."""
        return min(self._deadline, self._unread_at)

    def end(self) -> None:
        """Close the connection after its deadline, with a response where one can still be sent."""
        if self._refused or self._unread_at <= self._deadline or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head and not self._head_bytes:  # no request has begun
            self._refused = True
            self._deadline += self.limits.drain_s
            self.transport.close()
        elif self._in_head and self._is_responding():  # the client still waits for a response
            self._deadline += self.limits.head_s
        elif self._in_head:
            self._refuse(TooSlow(f"the head did not arrive within {self.limits.head_s:g} s"))
        else:
            self._refuse(TooSlow(f"the body did not arrive within {self.limits.body_s:g} s"))

    def data_received(self, data: bytes) -> None:
        """Parse the bytes as far as the limits allow."""
        if self._refused:
            return
        if self._in_head:
            self._head_received(data)
            return
        self._raw_bytes += len(data)
        super().data_received(data)
        frame_bytes = self._raw_bytes - self._body_bytes
        if frame_bytes > self.limits.head_bytes + 8 * self._body_bytes and not self._in_head:
            self._refuse(
                HeadTooLarge("the chunks of the body are too small: send it in larger chunks")
            )

    def _head_received(self, data: bytes) -> None:
        if not self._head_bytes:
            self._deadline = self.loop.time() + self.limits.head_s
        bytes_left = self.limits.head_bytes - self._head_bytes
        rest = data[bytes_left:]
        heads = self._heads
        super().data_received(data[:bytes_left] if rest else data)
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
        """Check the number of fields and start the time limit for the body."""
        if len(self.headers) > self.limits.fields:
            self._refusal = HeadTooLarge(f"the head has more than {self.limits.fields} fields")
            raise self._refusal  # the parser stops and calls `send_400_response`
        super().on_headers_complete()
        self._in_head = False
        self._heads += 1
        self._raw_bytes = self._body_bytes = 0
        self._deadline = self.loop.time() + self.limits.body_s

    def on_body(self, body: bytes) -> None:
        """Count a part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the time limit: the request is complete, and the response has none."""
        super().on_message_complete()
        self.headers = []  # a new list: the scope of this request keeps the old one
        self._in_head = True
        self._head_bytes = 0
        self._deadline = inf if self._is_responding() else self._idle_until()

    def on_response_complete(self) -> None:
        """Start the next time limit; the rest of the body, if any, is discarded."""
        super().on_response_complete()
        if self._in_head:
            self._deadline = inf if self._is_responding() else self._idle_until()
        elif self._is_responding():  # the next request was received already
            self._deadline = self.loop.time() + self.limits.body_s
        else:
            self.cycle.body = bytearray()
            self._deadline = self.loop.time() + self.limits.drain_s

    def pause_writing(self) -> None:
        """Start the time limit for a client that does not read its response."""
        super().pause_writing()
        self._unread_at = self.loop.time() + self.limits.body_s

    def resume_writing(self) -> None:
        """Stop that time limit: the client reads again."""
        super().resume_writing()
        self._unread_at = inf

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text
        """Refuse the request; uvicorn calls this when its parser fails."""
        self._refuse(self._refusal or MalformedRequest("this is not an HTTP/1.1 request"))

    def _origin(self) -> bytes | None:
        """The value of the Origin header, if it has arrived."""
        return next((value for name, value in self.headers if name == b"origin"), None)

    def _is_responding(self) -> bool:
        return self._heads > 0 and not self.cycle.response_complete

    def _idle_until(self) -> float:
        """The deadline of a connection without a further request; uvicorn closes most of them earlier."""
        return self.loop.time() + self.limits.idle_s

    def _refuse(self, error: LeadbatonError) -> None:
        """Respond with the error unless another response has begun, then stop reading and close."""
        if self.transport.is_closing():
            return
        HTTP_REFUSED_CONNECTIONS.labels(error.code).inc()
        self._refused = True
        self._deadline = self.loop.time() + self.limits.drain_s
        if self._is_responding():
            if self._in_head or self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif not self._in_head:  # the response was sent before
            self.transport.close()
            return
        self.transport.write(_response(error, self._origin()))
        self.flow.resume_reading()
        self.transport.write_eof()  # reads go on: closing with unread bytes would reset the connection


def connections(limits: ConnectionLimits = DEFAULT_LIMITS) -> type[Connection]:
    """A class of connections with these limits, for uvicorn's `http` option."""

    class Limited(Connection):
        pass

    Limited.limits = limits
    Limited.watch = DeadlineWatch(limits)
    return Limited


def _response(error: LeadbatonError, origin: bytes | None) -> bytes:
    response = problem(error)
    if origin is not None:
        response.headers.update(cors_headers(origin.decode("latin-1")))
    fields = [b"%s: %s\r\n" % field for field in response.raw_headers]
    return b"".join(
        [STATUS_LINE[error.status], *fields, b"connection: close\r\n\r\n", bytes(response.body)]
    )
