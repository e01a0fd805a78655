"""Answers that the page which sent the request may read: errors too, or its client tries for ever."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.headers import header


class Readable:
    """Lets any page read errors. They hold nothing of value: no browser adds a key of its own accord."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; only those of browsers name an origin."""
        origin = header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self.app(scope, receive, send)
            return
        fields = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        ]

        async def readably(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                kept = [it for it in message["headers"] if it[0] not in dict(fields)]
                message["headers"] = [*kept, *fields]
            await send(message)

        await self.app(scope, receive, readably)
