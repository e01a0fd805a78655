"""A header of a request, without what Starlette builds for it: four are read of every post."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of this name, which is in lower case, or None."""
    for known, value in scope["headers"]:
        if known == name:
            said: bytes = value
            return said.decode("latin-1")
    return None
