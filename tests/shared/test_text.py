"""Text that PostgreSQL can store."""

from __future__ import annotations

import pytest

from shared.text import storable, unstorable_at


@pytest.mark.parametrize(
    ("text", "index", "stored"),
    [
        ("", None, ""),
        ("Zoë 🎉", None, "Zoë 🎉"),
        ("a\x00b", 1, "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud83d", 0, "\N{REPLACEMENT CHARACTER}"),
        ("ab\udc00\x00", 2, "ab\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
    ],
    ids=["empty", "whole", "nul", "high surrogate", "both"],
)
def test_what_cannot_be_stored_is_named_and_replaced(
    text: str, index: int | None, stored: str
) -> None:
    assert unstorable_at(text) == index
    assert storable(text) == stored
    assert unstorable_at(stored) is None
