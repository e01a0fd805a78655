"""Arrays as one text parameter: thousands of values take less time so than one by one."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def array_text(values: Iterable[UUID | int]) -> str:
    """The values in PostgreSQL's notation of an array."""
    return f"{{{','.join(map(str, values))}}}"
