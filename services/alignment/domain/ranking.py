"""The first groups of a report, and the others, which it sums: names may be invented by anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def split(
    rows: Iterable[T], limit: int, name_of: Callable[[T], str | None]
) -> tuple[list[T], list[T]]:
    """The first `limit` rows that have a name, with those that have none, and the others, each in their order.

    A single other one is listed too: a sum of one row would say less than the row.
    """
    listed, others, named = list[T](), list[T](), 0
    for row in rows:
        is_named = name_of(row) is not None
        (others if is_named and named >= limit else listed).append(row)
        named += is_named
    return (listed, others) if len(others) > 1 else (listed + others, [])
