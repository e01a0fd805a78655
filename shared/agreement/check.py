"""What a single field cannot tell: names, types, references, rules that can never be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.agreement.model import Agreement
from shared.documents import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, at a value or at a character inside its text."""

    path: Path
    message: str
    offset: int | None = None


def problems(agreement: Agreement) -> Iterator[Problem]:
    """Everything wrong with it."""
    del agreement
    return iter(())
