"""Pages of lists: their items, and an opaque cursor to the next page."""

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
"""A page ends before its JSON would exceed this; a larger item is a page of its own."""

MAX_CURSOR = 2_000
"""The longest cursor. Positions hold ids of senders, which may be long."""

CHECK_BYTES = 6
"""The bytes of a hash in each cursor, by which a cursor of another list or a changed one is refused."""


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(
        default=None,
        description="The `after` of the next page; null on the last page.",
    )


class BadCursor(Rejected):
    """`after` is not a cursor that came from this list."""

    code = "bad_cursor"
    status = 400


Limit = Annotated[
    int,
    Query(
        ge=1,
        le=500,
        description="Most items on the page, which is 1 MB at most.",
    ),
]
After = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR,
        description="The `next` of the page before this one.",
    ),
]


@dataclass(frozen=True, slots=True)
class Cursor(Generic[T]):
    """Encodes positions in one list as opaque text, and refuses any other text."""

    list_name: str
    shape: type[T]
    """The type of a position, such as `tuple[Instant, UUID]`, with the bounds of parameters."""

    def encode(self, *position: object) -> str:
        """The cursor for a position, whose values are numbers, strings, instants or UUIDs."""
        content = orjson.dumps(position)
        return urlsafe_b64encode(self._check(content) + content).decode().rstrip("=")

    def decode(self, cursor: str) -> T:
        """The position of a cursor; raises BadCursor unless this list made it."""
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


def page_of(
    rows: Sequence[R],
    *,
    limit: int,
    item: Callable[[R], T],
    position: Callable[[R], Sequence[Any]],
    cursor: Cursor[Any],
) -> Page[T]:
    """The page of the first `limit` rows, as far as MAX_PAGE_BYTES allow.

    The rows are queried with `limit + 1`: where some are not on the page, it has a cursor to the next page.
    """
    items: list[T] = []
    bytes_left = MAX_PAGE_BYTES
    for row in rows[:limit]:
        item_out = item(row)
        bytes_left -= len(to_json(item_out))
        if items and bytes_left < 0:
            break
        items.append(item_out)
    is_last_page = len(rows) == len(items)
    return Page(
        items=items,
        next=None if is_last_page else cursor.encode(*position(rows[len(items) - 1])),
    )
