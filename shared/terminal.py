"""Output to a terminal, in which markup and control sequences in texts have no effect."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters except tab and line feed, marks of text direction, lone surrogates."""


class Terminal(Console):
    """A console that prints strings as plain text, in tables too; styled text is a `Text`."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """The string as printable text."""
        return super().render_str(printable(text), **options)


def printable(text: str) -> str:
    """The text with U+FFFD in place of every character that a terminal would interpret."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
