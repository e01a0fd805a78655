"""Text that can be stored: PostgreSQL refuses U+0000, and UTF-8 has no lone surrogates."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def unstorable_at(text: str) -> int | None:
    """The index of the first character that cannot be stored, or None."""
    match = _UNSTORABLE.search(text)
    return match.start() if match else None


def storable(text: str) -> str:
    """The text with U+FFFD in place of every character that cannot be stored."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
