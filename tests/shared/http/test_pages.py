"""Tests of cursors and of the size of pages."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.pages import MAX_PAGE_BYTES, BadCursor, Cursor, page_of

WIDE = Cursor("wide", tuple[datetime, UUID, int, str])
NARROW = Cursor("narrow", tuple[int])


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), st.integers(-(2**53), 2**53), st.text())
def test_a_cursor_says_what_it_was_made_of(instant: datetime, id: UUID, n: int, text: str) -> None:
    assert WIDE.decode(WIDE.encode(instant, id, n, text)) == (instant, id, n, text)


@given(st.text())
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        WIDE.decode(cursor)


@given(st.integers(0, 2**53), st.data())
def test_a_cursor_that_was_changed_or_is_of_another_list_is_refused(
    position: int, data: st.DataObject
) -> None:
    cursor = NARROW.encode(position)
    index = data.draw(st.integers(0, len(cursor) - 2))
    changed = f"{cursor[:index]}{'A' if cursor[index] != 'A' else 'B'}{cursor[index + 1 :]}"

    for refusal in (cursor[:-1], changed, Cursor("other", tuple[int]).encode(position)):
        with pytest.raises(BadCursor):
            NARROW.decode(refusal)


def test_the_row_too_many_says_that_there_is_more() -> None:
    full = page_of([1, 2, 3], limit=2, item=str, position=lambda row: (row,), cursor=NARROW)
    last = page_of([3], limit=2, item=str, position=lambda row: (row,), cursor=NARROW)
    assert (full.items, NARROW.decode(full.next or "")) == (["1", "2"], (2,))
    assert (last.items, last.next) == (["3"], None)


def test_a_page_ends_before_it_is_too_large_but_has_one_item_at_least() -> None:
    half = "x" * (MAX_PAGE_BYTES // 2)
    rows = [half + half, half[2:], half[2:], "", half + half]
    pages = []
    while rows:
        page = page_of(rows, limit=10, item=str, position=lambda row: (len(row),), cursor=NARROW)
        pages.append(len(page.items))
        assert (page.next is None) == (len(page.items) == len(rows))
        rows = rows[len(page.items) :]
    assert pages == [1, 2, 1, 1]
