"""Text that PostgreSQL can store."""

from __future__ import annotations

import pytest

from shared.text import one_line, plain_text, storable, unstorable_at


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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  a\tb \r\n c\u2028d  ", "a b \n c\nd"),
        ("a\n\n \n\n\nb", "a\n\nb"),
        ("a\x00\x1b\x7f\x9bb", "a    b"),
        ("\u202eabc\u2066d\u2069", "abc d"),
        ("שלום עולם, مرحبا", "שלום עולם, مرحبا"),
        ("👩\u200d👩\u200d👧 \ud83d", "👩\u200d👩\u200d👧 \N{REPLACEMENT CHARACTER}"),
        ("\n\t ", ""),
    ],
    ids=["blanks", "blank lines", "controls", "directions", "right to left", "emoji", "nothing"],
)
def test_plain_text_has_no_signs_but_line_breaks(text: str, plain: str) -> None:
    assert plain_text(text, limit=1_000) == plain


@pytest.mark.parametrize(
    ("text", "cut"),
    [("x" * 21, "x" * 17 + "…"), ("x" * 20, "x" * 20), ("é" * 11, "é" * 8 + "…"), ("😀" * 6, "😀" * 4 + "…")],
)  # fmt: skip
def test_plain_text_is_cut_between_characters(text: str, cut: str) -> None:
    assert plain_text(text, limit=20) == cut
    assert len(cut.encode()) <= 20


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("autumn", "autumn"),
        ("  a\t b\r\nc\u2028d  ", "a b c d"),
        ("\ufeffautumn\u200b", "autumn"),
        ("\u202eabc\x1b[31m", "abc [31m"),
        ("Wärme & 👩\u200d👩\u200d👧", "Wärme & 👩\u200d👩\u200d👧"),
        (" \n\u2060", ""),
    ],
    ids=["plain", "blanks", "unseen", "controls", "emoji", "nothing"],
)
def test_a_line_has_single_blanks_and_nothing_that_cannot_be_seen(text: str, line: str) -> None:
    assert one_line(text) == line == one_line(line)
