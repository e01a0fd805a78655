"""Cursors say where a page begins, and nothing else is one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.pages import MAX_PAGE_BYTES, BadCursor, decode, encode, paged


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), st.integers(-(2**53), 2**53), st.text())
def test_a_cursor_says_what_it_was_made_of(at: datetime, id: UUID, n: int, text: str) -> None:
    assert decode(encode(at, id, n, text), tuple[datetime, UUID, int, str]) == (at, id, n, text)


@given(st.text())
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode(cursor, tuple[datetime, UUID, int, str])


def test_the_row_too_many_says_that_there_is_more() -> None:
    full = paged([1, 2, 3], limit=2, item=str, position=lambda row: (row,))
    last = paged([3], limit=2, item=str, position=lambda row: (row,))
    assert (full.items, decode(full.next or "", tuple[int])) == (["1", "2"], (2,))
    assert (last.items, last.next) == (["3"], None)


def test_a_page_ends_before_it_is_too_large_but_has_one_item_at_least() -> None:
    half = "x" * (MAX_PAGE_BYTES // 2)
    rows = [half + half, half[2:], half[2:], "", half + half]
    pages = []
    while rows:
        page = paged(rows, limit=10, item=str, position=lambda row: (len(row),))
        pages.append(len(page.items))
        assert (page.next is None) == (len(page.items) == len(rows))
        rows = rows[len(page.items) :]
    assert pages == [1, 2, 1, 1]
