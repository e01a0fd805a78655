"""Errors that the page which sent the request may read; without them its client tries for ever."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.headers import header


def readable_by(origin: str) -> dict[str, str]:
    """The headers with which a browser lets pages of this origin read an answer."""
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "retry-after",
        "vary": "origin",
    }


class Readable:
    """Lets any page read errors, those of a key that is not for it too.

    That is safe: an error holds nothing but what the request brought, and browsers send no key of their own accord.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; only those of browsers name an origin."""
        origin = header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self.app(scope, receive, send)
            return
        fields = {
            name.encode(): value.encode("latin-1") for name, value in readable_by(origin).items()
        }

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                others = [field for field in message["headers"] if field[0] not in fields]
                message["headers"] = [*others, *fields.items()]
            await send(message)

        await self.app(scope, receive, send_readable)
