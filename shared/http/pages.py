"""Lists in pages: items, and an opaque cursor to what comes next."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from shared.errors import Rejected

T = TypeVar("T")
R = TypeVar("R")

MAX_PAGE_BYTES = 1_000_000
"""A page ends before the item with which its JSON would be larger; an item that is, is a page of its own."""


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="`after` of the next page; null at the end.")


class BadCursor(Rejected):
    """`after` is not a cursor that this list gave."""

    code = "bad_cursor"
    status = 400


Limit = Annotated[int, Query(ge=1, le=500, description="Most items on a page of at most 1 MB.")]
After = Annotated[str | None, Query(description="`next` of the page before.")]


def encode(*position: object) -> str:
    """A position in a list (numbers, strings, instants, UUIDs) as a cursor."""
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode(cursor: str, shape: type[T]) -> T:
    """The position that a cursor stands for, such as `tuple[datetime, UUID]`; raises BadCursor."""
    try:
        said = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        return TypeAdapter(shape).validate_json(said)
    except (NotBase64, ValidationError, UnicodeError):
        raise BadCursor("`after` is not a cursor of this list: take it from `next`") from None


def paged(
    rows: Sequence[R],
    *,
    limit: int,
    item: Callable[[R], T],
    position: Callable[[R], Sequence[Any]],
) -> Page[T]:
    """A page of rows that were asked for with `limit + 1`, and no larger than MAX_PAGE_BYTES.

    Rows that are not on it say that there is more.
    """
    items: list[T] = []
    left = MAX_PAGE_BYTES
    for row in rows[:limit]:
        shown = item(row)
        left -= len(to_json(shown))
        if items and left < 0:
            break
        items.append(shown)
    more = len(rows) > len(items)
    return Page(items=items, next=encode(*position(rows[len(items) - 1])) if more else None)
