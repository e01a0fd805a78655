"""Headers of a request, without what Starlette builds for them: four are read of every post."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of this name, which is in lower case, or None."""
    for known, value in scope["headers"]:
        if known == name:
            content: bytes = value
            return content.decode("latin-1")
    return None


def presented_key(scope: Scope) -> str | None:
    """The key that a request carries: Bearer, the user name of Basic, or X-Write-Key."""
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
