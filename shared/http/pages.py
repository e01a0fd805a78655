"""Lists in pages: items, and an opaque cursor to what comes next."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
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

MAX_CURSOR = 2_000
"""Characters of the longest cursor; positions hold ids of senders."""

CHECK_BYTES = 6
"""So much of a hash says that a cursor is whole, and of this list."""


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="`after` of the next page; null at the end.")


class BadCursor(Rejected):
    """`after` is not a cursor that this list gave."""

    code = "bad_cursor"
    status = 400


Limit = Annotated[int, Query(ge=1, le=500, description="Most items on a page of at most 1 MB.")]
After = Annotated[
    str | None, Query(max_length=MAX_CURSOR, description="`next` of the page before.")
]


@dataclass(frozen=True, slots=True)
class Cursor(Generic[T]):
    """Positions in one list as opaque text: whole, and of this list, or refused."""

    list_name: str
    shape: type[T]
    """Such as `tuple[Instant, UUID]`: bounded as parameters are."""

    def encode(self, *position: object) -> str:
        """A position in the list (numbers, strings, instants, UUIDs) as a cursor."""
        content = orjson.dumps(position)
        return urlsafe_b64encode(self._check(content) + content).decode().rstrip("=")

    def decode(self, cursor: str) -> T:
        """The position that a cursor of this list stands for; raises BadCursor."""
        try:
            content = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
            check, position = content[:CHECK_BYTES], content[CHECK_BYTES:]
            if check == self._check(position):
                return TypeAdapter(self.shape).validate_json(position)
        except (NotBase64, ValidationError, UnicodeError):
            pass
        raise BadCursor("`after` is not a cursor of this list: take it from `next`")

    def _check(self, content: bytes) -> bytes:
        return sha256(self.list_name.encode() + b"\0" + content).digest()[:CHECK_BYTES]


def paged(
    rows: Sequence[R],
    *,
    limit: int,
    item: Callable[[R], T],
    position: Callable[[R], Sequence[Any]],
    cursor: Cursor[Any],
) -> Page[T]:
    """A page of rows that were asked for with `limit + 1`, and no larger than MAX_PAGE_BYTES.

    Rows that are not on it say that there is more.
    """
    items: list[T] = []
    left = MAX_PAGE_BYTES
    for row in rows[:limit]:
        item_out = item(row)
        left -= len(to_json(item_out))
        if items and left < 0:
            break
        items.append(item_out)
    more = len(rows) > len(items)
    last = rows[len(items) - 1] if more else None
    return Page(items=items, next=None if last is None else cursor.encode(*position(last)))
