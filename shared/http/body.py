"""Middleware that reads and decompresses the whole request body within a limit, before any route runs."""

from __future__ import annotations

import zlib
from collections.abc import Container, Set
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth.key_cache import KeyCache
from shared.errors import LeadbatonError, Unavailable
from shared.http.headers import header, presented_key
from shared.http.media import check_format, label_as_json
from shared.http.problems import MalformedBody, TooLarge, UnsupportedEncoding, problem

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})

MAX_KEYED_BYTES = 64_000_000
"""Bytes of all bodies that a process holds at once for callers whose key is in a header."""

MAX_KEYLESS_BYTES = 8_000_000
"""The same for callers without a key in a header: Segment's browser client sends it in the body."""

MAX_MEMBERS = 100
"""Members of a gzip body. Clients send one, and each costs time."""


class Overloaded(Unavailable):
    """Too many request bodies are being received at once."""

    code = "overloaded"


class Budget:
    """The bytes that all requests of one event loop may hold together."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0

    def reserve(self, size: int) -> None:
        """Reserve `size` bytes; raises Overloaded when fewer are left."""
        if self.used_bytes + size > self.max_bytes:
            raise Overloaded(
                "too many request bodies are being received at once: send this one again"
            )
        self.used_bytes += size


class BodyReader:
    """Reads bodies of `max_bytes` at most, counted after decompression; it ignores Content-Length.

    A key in a header is checked before the body is read. Without such a key only the bodies of the direct routes
    (`posts`) are read, because they may hold the key, and those of `keyless_paths`, where a path with a `/` at its end
    stands for all paths right below it; other routes refuse the request without its body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        keys: KeyCache,
        posts: Container[str] = (),
        keyless_paths: Set[str] = frozenset(),
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.keys = keys
        self.posts = posts
        self.keyless_paths = keyless_paths
        self.keyed_budget = Budget(max(MAX_KEYED_BYTES, 2 * max_bytes))
        self.keyless_budget = Budget(max(MAX_KEYLESS_BYTES, 2 * max_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and pass the request on. The app finds the body in the scope and receives it again."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        try:
            budget = await self._budget(scope)
            check_format(header(scope, b"content-type"))
        except LeadbatonError as error:
            await problem(error)(scope, receive, send)
            return
        if budget is None:
            scope["headers"] = _plain_headers(scope["headers"], 0)
            await self.app(scope, _replayed(b"", receive), send)
            return
        reservation = _Reservation(budget, self.max_bytes)
        try:
            await self._read_and_pass(scope, receive, send, reservation)
        finally:
            budget.used_bytes -= reservation.used_bytes

    async def _budget(self, scope: Scope) -> Budget | None:
        """The budget that the body counts against, or None if it is not to be read; raises the errors of the key."""
        key = presented_key(scope)
        if key is None:
            path: str = scope["path"]
            above = path[: path.rfind("/") + 1]
            is_read = path in self.posts or not self.keyless_paths.isdisjoint((path, above))
            return self.keyless_budget if is_read else None
        scope["key"] = self.keys.cached(key) or await run_in_threadpool(self.keys.key, key)
        return self.keyed_budget

    async def _read_and_pass(
        self, scope: Scope, receive: Receive, send: Send, reservation: _Reservation
    ) -> None:
        try:
            body = await _read(header(scope, b"content-encoding"), receive, reservation)
        except LeadbatonError as error:
            await problem(error)(scope, receive, send)
            return
        if body is not None:
            scope["headers"] = _plain_headers(scope["headers"], len(body))
            scope["body"] = body
            if scope["path"] not in self.posts:
                label_as_json(scope, body)
            await self.app(scope, _replayed(body, receive), send)


class _Reservation:
    """The bytes of a budget that one request holds; it may hold `max_bytes` as sent and as many decompressed."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        self.budget = budget
        self.max_bytes = max_bytes
        self.plain_bytes_left = max_bytes
        self.packed_bytes_left = max_bytes
        self.used_bytes = 0

    def add(self, packed: int, plain: int) -> None:
        """Count the bytes of a part as it was sent and as it is decompressed; raises TooLarge or Overloaded."""
        self.packed_bytes_left -= packed
        self.plain_bytes_left -= plain
        if self.plain_bytes_left < 0 or self.packed_bytes_left < 0:
            raise TooLarge(f"the body is larger than {self.max_bytes} bytes: send it in parts")
        self.budget.reserve(packed + plain)
        self.used_bytes += packed + plain


async def _read(encoding: str | None, receive: Receive, reservation: _Reservation) -> bytes | None:
    """The decompressed body, or None if the client disconnected before its end."""
    decoder = _decoder(encoding or "identity")
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        part = decoder.feed(chunk, reservation.plain_bytes_left + 1)
        reservation.add(0 if part is chunk else len(chunk), len(part))
        parts.append(part)
        if not message.get("more_body", False):
            decoder.finish()
            return b"".join(parts)


class _Decoder(Protocol):
    def feed(self, chunk: bytes, limit: int) -> bytes: ...
    def finish(self) -> None: ...


class _Plain:
    def feed(self, chunk: bytes, limit: int) -> bytes:  # noqa: ARG002 - the Protocol has it
        return chunk

    def finish(self) -> None:
        """A body that is not compressed has no end of its own."""


class _Compressed:
    """Decompresses gzip of one or several members, and deflate with or without its header."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._members = 0

    def feed(self, chunk: bytes, limit: int) -> bytes:
        parts: list[bytes] = []
        while chunk and limit > 0:
            if self._stream is None or self._stream.eof:
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise MalformedBody(f"the body has more than {MAX_MEMBERS} gzip members")
                self._stream = zlib.decompressobj(_window(chunk[0]))
            try:
                parts.append(self._stream.decompress(chunk, limit))
            except zlib.error as error:
                raise MalformedBody(
                    f"the body is not compressed as its Content-Encoding says: {error}"
                ) from None
            limit -= len(parts[-1])
            chunk = self._stream.unused_data
        return b"".join(parts)

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise MalformedBody("the compressed body ends too early")


def _window(first: int) -> int:
    """The `wbits` of zlib for a body with this first byte: gzip, deflate with its header (RFC 1950), or without."""
    if first == 0x1F:
        return 31
    return 15 if first & 0x0F == 8 and first >> 4 <= 7 else -15


def _decoder(encoding: str) -> _Decoder:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Compressed()
    raise UnsupportedEncoding("Content-Encoding may be gzip, deflate or identity")


def _plain_headers(headers: list[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    removed = (b"content-encoding", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name not in removed]
    return [*kept, (b"content-length", str(size).encode())]


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
