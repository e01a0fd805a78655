"""Reads single headers of a request from the ASGI scope, which is faster than Starlette's `Headers`."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The value of the first header of this name (in lower case), or None."""
    for known, value in scope["headers"]:
        if known == name:
            content: bytes = value
            return content.decode("latin-1")
    return None


def presented_key(scope: Scope) -> str | None:
    """The key of the request: from Bearer, the user name of Basic, or X-Write-Key."""
    scheme, _, credentials = (header(scope, b"authorization") or "").partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip() or None
        case "basic":
            return _user_name(credentials)
    return header(scope, b"x-write-key")


def _user_name(credentials: str) -> str | None:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[0] or None
    except (NotBase64, UnicodeDecodeError):
        return None
