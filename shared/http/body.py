"""The request's body, whole and plain before any route sees it: limited while it streams, decompressed too."""

from __future__ import annotations

import zlib
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Rejected
from shared.http.headers import header
from shared.http.problems import MalformedBody, TooLarge, UnsupportedEncoding, problem

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class PlainBody:
    """Neither Content-Length nor Content-Type is believed; a bomb costs no more memory than the limit."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then let the app read it again, or find it in the scope."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(header(scope, b"content-encoding"), receive)
        except Rejected as refused:
            await problem(refused)(scope, receive, send)
            return
        if body is not None:
            scope["headers"] = _as_read(scope["headers"], len(body))
            scope["body"] = body
            await self.app(scope, _again(body, receive), send)

    async def _read(self, encoding: str | None, receive: Receive) -> bytes | None:
        """The body; None if the client went away before its end."""
        decoder = _decoder(encoding or "identity")
        parts: list[bytes] = []
        left = self.most_bytes
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk: bytes = message.get("body", b"")
            part = decoder.feed(chunk, left + 1)
            left -= max(len(part), len(chunk) if not part else 0)
            if left < 0:
                raise TooLarge(f"the body is larger than {self.most_bytes} bytes: send it in parts")
            parts.append(part)
            if not message.get("more_body", False):
                decoder.finish()
                return b"".join(parts)


class _Decoder(Protocol):
    def feed(self, chunk: bytes, most: int) -> bytes: ...
    def finish(self) -> None: ...


class _Plain:
    def feed(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]

    def finish(self) -> None:
        """Nothing can be missing."""


class _Compressed:
    """gzip, also of several members, and deflate, also without its header as some clients send it."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    def feed(self, chunk: bytes, most: int) -> bytes:
        parts: list[bytes] = []
        while chunk and most > 0:
            if self._stream is None or self._stream.eof:
                self._stream = zlib.decompressobj(_window(chunk[0]))
            try:
                parts.append(self._stream.decompress(chunk, most))
            except zlib.error as wrong:
                raise MalformedBody(f"the body is not compressed as it says: {wrong}") from None
            most -= len(parts[-1])
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
