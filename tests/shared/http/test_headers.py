"""Tests of single headers read from the ASGI scope."""

from __future__ import annotations

import pytest

from shared.http.headers import header

SCOPE = {"headers": [(b"origin", b"https://a.example"), (b"x", b"\xe9"), (b"x", b"2")]}


@pytest.mark.parametrize(
    ("name", "value"), [(b"origin", "https://a.example"), (b"x", "é"), (b"y", None)]
)
def test_the_first_of_a_name_counts(name: bytes, value: str | None) -> None:
    assert header(SCOPE, name) == value
