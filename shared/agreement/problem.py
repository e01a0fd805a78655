"""One fault of an agreement."""

from __future__ import annotations

from dataclasses import dataclass

from shared.documents import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault at a value, at its key, or at a character (`offset`) of its text."""

    path: Path
    message: str
    offset: int | None = None
    key: bool = False
