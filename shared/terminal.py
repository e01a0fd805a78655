"""Output at a terminal: what others wrote is shown, never read as markup or as a control sequence."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tab and line feed; marks that turn the direction of what follows; lone surrogates."""


class Terminal(Console):
    """A console whose strings are plain text, in tables too; style them as `Text`."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """The string as text that can be printed."""
        return super().render_str(printable(text), **options)


def printable(text: str) -> str:
    """The text with U+FFFD in place of every character that would command the terminal instead of being shown."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
