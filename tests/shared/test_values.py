"""Tests of the values of events: accepted JSON, and the replacement of all other."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values import (
    HIGHEST,
    LOWEST,
    MAX_DEPTH,
    NumberText,
    TooDeep,
    Value,
    loads,
    loads_exactly,
    normal_json,
    out_of_range,
)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("5551", 5551),
        ("-0", 0),
        ("5551.0", 5551.0),
        ("1E5", 100_000.0),
        ("1e-400", 0.0),
        ("0.1", 0.1),
        (str(HIGHEST), HIGHEST),
        (str(LOWEST), LOWEST),
        (str(HIGHEST + 1), NumberText(HIGHEST + 1)),
        (str(LOWEST - 1), NumberText(LOWEST - 1)),
        ("9" * 5_000, NumberText("9" * 5_000)),
        ("12345678901234567.0", 12345678901234567),
        ("12345678901234567.5", NumberText("12345678901234567.5")),
        ("1e18", 10**18),
        ("1e19", NumberText("1e19")),
        ("-1e400", NumberText("-1e400")),
        ("1e999999999", NumberText("1e999999999")),
        ("1e-30", NumberText("1e-30")),
        ("NaN", None),
        ("-Infinity", None),
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"\ud83d!"', "\ufffd!"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\\u0000 \\ud800 \n"', "\\u0000 \\ud800 \n"),
        (r'{"\u0000": 1, "\udc00": 2, "": 3, "": 4}', {"\ufffd": 2, "": 4}),
        (b'["\xed\xa0\x80"]', ["\ufffd"]),
        ('\ufeff"x"', "x"),
        ("[1]".encode("utf-16"), [1]),
    ],
    ids=lambda it: str(it)[:20],
)
def test_a_value_is_read_as_it_may_be(encoded: bytes | str, value: Any) -> None:
    read = loads_exactly(encoded)

    assert (read, type(read)) == (value, type(value))
    assert loads_exactly(normal_json(encoded)) == value
    orjson.dumps(read)
    assert msgspec.json.decode(normal_json(encoded), type=Value) == value


@pytest.mark.parametrize("encoded", ["", "[1", b'"\xff"', "[" * 5_000])
def test_what_is_no_json_is_refused_and_left_to_the_reader(encoded: bytes | str) -> None:
    for read in (loads_exactly, loads):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the parser says
            read(encoded)
    assert normal_json(encoded) == (encoded.encode() if isinstance(encoded, str) else encoded)


def test_what_is_deeper_than_the_writer_goes_is_left_to_the_reader() -> None:
    deep = b"[" * 300 + b"]" * 300
    assert normal_json(deep) == deep


NUMBERS = st.integers(LOWEST, HIGHEST) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=12,
)


@given(VALUES)
def test_the_quick_reader_and_the_exact_one_agree_on_what_may_be(value: Any) -> None:
    """The fate of an event does not depend on the other events of its body."""
    encoded = orjson.dumps(value)

    assert out_of_range([loads(encoded)]) == out_of_range([value])
    if not out_of_range([value]) and rb"\u0000" not in encoded:
        assert loads_exactly(encoded) == loads(encoded) == value
        assert normal_json(encoded) == encoded


@given(VALUES, st.integers())
def test_a_number_beyond_the_range_is_seen_wherever_it_is(value: Any, number: int) -> None:
    inside = [value, {"n": [number]}]

    beyond = out_of_range([value]) or not LOWEST <= number <= HIGHEST
    assert out_of_range(inside) == beyond
    assert out_of_range([loads_exactly(str(number))]) == (not LOWEST <= number <= HIGHEST)


def test_values_are_nested_to_a_depth() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep] if _ % 2 else {"in": deep}
    assert not out_of_range([deep])
    with pytest.raises(TooDeep):
        out_of_range([10**30, [deep]])
