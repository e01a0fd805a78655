"""Text that can be stored: PostgreSQL refuses U+0000, and UTF-8 has no lone surrogates."""

from __future__ import annotations

import re

_UNPRINTED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but the line break, and marks that turn the direction of writing."""
_UNSEEN = re.compile("[\x01-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"[^\S\n]*\n\s*\n")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def unstorable_at(text: str) -> int | None:
    """The index of the first character that cannot be stored, or None."""
    match = _UNSTORABLE.search(text)
    return match.start() if match else None


def storable(text: str) -> str:
    """The text with U+FFFD in place of every character that cannot be stored."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fault_text(message: str) -> str:
    """What pydantic says of a value, without the words that it puts before the text of a ValueError."""
    return message.removeprefix("Value error, ")


def one_line(text: str) -> str:
    """The text in one line, with single blanks in place of blanks, control characters and marks that cannot be seen."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def plain_text(text: str, *, limit: int) -> str:
    """The text as it can be shown anywhere, in at most so many bytes of UTF-8: a longer one ends with an ellipsis.

    It has lines, at most one of them blank between two others, but no other control characters, and no marks that turn
    the direction of the writing around it.
    """
    lines = _UNPRINTED.sub(" ", _LINE_BREAK.sub("\n", text))
    plain = storable(_BLANK_LINES.sub("\n\n", lines).strip())
    encoded = plain.encode()
    if len(encoded) <= limit:
        return plain
    ellipsis = "\N{HORIZONTAL ELLIPSIS}"
    return encoded[: limit - len(ellipsis.encode())].decode("utf-8", "ignore").rstrip() + ellipsis
