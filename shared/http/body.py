"""The request's body, whole and plain before any route sees it: limited while it streams, decompressed too."""

from __future__ import annotations

import zlib
from collections.abc import Container
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth.key_cache import KeyCache
from shared.errors import LeadbatonError, Unavailable
from shared.http.headers import header, presented_key
from shared.http.media import check_format, label_as_json
from shared.http.problems import MalformedBody, TooLarge, UnsupportedEncoding, problem

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


BODIES_BYTES = 64_000_000
"""So much of bodies is held at once for callers with a good key."""

STRANGERS_BYTES = 8_000_000
"""The same for all whose key is not in the head: Segment's browser client has it in the body."""

MAX_MEMBERS = 100
"""Parts of a gzip body; none is needed, and each costs time."""


class Overloaded(Unavailable):
    """Too many bodies are under way at once."""

    code = "overloaded"


class Budget:
    """Bytes that requests may hold together. For one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0

    def take(self, size: int) -> None:
        """Take so much of it; raises Overloaded when it is not there."""
        if self.used_bytes + size > self.max_bytes:
            raise Overloaded("too many bodies are under way at once: send this one again")
        self.used_bytes += size


class PlainBody:
    """Content-Length is not believed; a bomb costs no more memory than the limit.

    A key in the head is checked before the body is read. Without one the body is read on the direct routes only
    (`posts`), where it may hold the key; other routes refuse the request without it.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, keys: KeyCache, posts: Container[str] = ()
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.keys = keys
        self.posts = posts
        self.known = Budget(max(BODIES_BYTES, 2 * max_bytes))
        self.strangers = Budget(max(STRANGERS_BYTES, 2 * max_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then let the app read it again, or find it in the scope."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        try:
            budget = await self._budget(scope)
            check_format(header(scope, b"content-type"))
        except LeadbatonError as refused:
            await problem(refused)(scope, receive, send)
            return
        if budget is None:
            scope["headers"] = _as_read(scope["headers"], 0)
            await self.app(scope, _again(b"", receive), send)
            return
        share = _Share(budget, self.max_bytes)
        try:
            await self._pass(scope, receive, send, share)
        finally:
            budget.used_bytes -= share.used_bytes

    async def _budget(self, scope: Scope) -> Budget | None:
        """What the body counts against, None if it is not to be read; raises what is wrong with the key."""
        key = presented_key(scope)
        if key is None:
            return self.strangers if scope["path"] in self.posts else None
        scope["key"] = self.keys.remembered(key) or await run_in_threadpool(self.keys.key, key)
        return self.known

    async def _pass(self, scope: Scope, receive: Receive, send: Send, share: _Share) -> None:
        try:
            body = await _read(header(scope, b"content-encoding"), receive, share)
        except LeadbatonError as refused:
            await problem(refused)(scope, receive, send)
            return
        if body is not None:
            scope["headers"] = _as_read(scope["headers"], len(body))
            scope["body"] = body
            if scope["path"] not in self.posts:
                label_as_json(scope, body)
            await self.app(scope, _again(body, receive), send)


class _Share:
    """What one request takes of a budget, and may take at most."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        self.budget = budget
        self.max_bytes = max_bytes
        self.left = max_bytes
        self.left_packed = max_bytes
        self.used_bytes = 0

    def take(self, packed: int, plain: int) -> None:
        """Count so many bytes as they came, and what they are unpacked; raises TooLarge or Overloaded."""
        self.left_packed -= packed
        self.left -= plain
        if self.left < 0 or self.left_packed < 0:
            raise TooLarge(f"the body is larger than {self.max_bytes} bytes: send it in parts")
        self.budget.take(packed + plain)
        self.used_bytes += packed + plain


async def _read(encoding: str | None, receive: Receive, share: _Share) -> bytes | None:
    """The body; None if the client went away before its end."""
    decoder = _decoder(encoding or "identity")
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        part = decoder.feed(chunk, share.left + 1)
        share.take(0 if part is chunk else len(chunk), len(part))
        parts.append(part)
        if not message.get("more_body", False):
            decoder.finish()
            return b"".join(parts)


class _Decoder(Protocol):
    def feed(self, chunk: bytes, limit: int) -> bytes: ...
    def finish(self) -> None: ...


class _Plain:
    def feed(self, chunk: bytes, limit: int) -> bytes:  # noqa: ARG002 - what it is, it is already
        return chunk

    def finish(self) -> None:
        """Nothing can be missing."""


class _Compressed:
    """gzip, also of several members, and deflate, also without its header as some clients send it."""

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
            except zlib.error as wrong:
                raise MalformedBody(f"the body is not compressed as it says: {wrong}") from None
            limit -= len(parts[-1])
            chunk = self._stream.unused_data
        return b"".join(parts)

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise MalformedBody("the compressed body ends too early")


def _window(first: int) -> int:
    """zlib's `wbits`, told from the first byte: gzip, deflate as the standard has it, or bare."""
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


def _as_read(headers: list[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name not in gone]
    return [*kept, (b"content-length", str(size).encode())]


def _again(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
