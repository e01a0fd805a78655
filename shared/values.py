"""What a value may be: one definition for the door that events come in by, and for all who read what is stored.

Libraries differ: one reads numbers of 64 bits, another of any size, PostgreSQL keeps 131,072 digits, CEL counts in 64
bits. So a number is a whole one of 64 bits or a fraction of ordinary size, and any other is kept as the text that it
was written as. Objects and lists are nested at most MAX_DEPTH deep. Text is what `shared.text` can store.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
import orjson

from shared.text import storable

MAX_DEPTH = 100
"""Levels of objects and lists inside an event. Readers have limits of their own, pydantic's is 200."""

LOWEST, HIGHEST = -(2**63), 2**63 - 1
"""Between these lie whole numbers."""

EXACT = 2.0**53
"""From here on a double has gaps between whole numbers: such numbers are integers, or text."""

SMALLEST = 1e-18
"""A fraction that is nearer to zero, but not zero, is text: PostgreSQL would write out each of its digits."""


class NumberText(str):
    """A number that no number can hold, as it was written."""

    __slots__ = ()

    def whole(self) -> str | None:
        """Every digit of it, if it is a whole number of a few hundred digits at most."""
        number = Decimal(self)
        if number.adjusted() > 300 or number != number.to_integral_value():
            return None
        return f"{number:f}".partition(".")[0]


class TooDeep(ValueError):
    """Objects and lists are nested deeper than MAX_DEPTH."""


def loads(document: bytes | str) -> Any:
    """The JSON, also where it holds what the quick parser refuses; raises ValueError."""
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return exactly(document)


def exactly(document: bytes | str) -> Any:
    """The JSON with values as they may be: numbers beyond the range as NumberText, text that can be stored.

    NaN and the infinities, which are no JSON but which some write, are None. Raises ValueError.
    """
    text = document if isinstance(document, str) else _decoded(document)
    clean = storable(_ESCAPE.sub(_storable_escape, text))
    try:
        return _DECODER.decode(clean.lstrip("\ufeff"))
    except RecursionError:
        raise ValueError("objects are nested too deep") from None


def within(document: bytes | str) -> bytes:
    """The JSON with values as they may be. What cannot be read stays as it is: its reader says what is wrong."""
    try:
        return orjson.dumps(exactly(document))
    except (ValueError, TypeError):
        return document if isinstance(document, bytes) else document.encode("utf-8", "replace")


def holds_zero(document: bytes | str) -> bool:
    """Whether the JSON may hold U+0000, which PostgreSQL takes in no text."""
    return rb"\u0000" in document if isinstance(document, bytes) else r"\u0000" in document


def out_of_range(values: Iterable[Any], levels: int = MAX_DEPTH) -> bool:
    """Whether there is a number among these values, or in them, that is beyond the range or is text for that reason.

    Raises TooDeep where something is nested deeper than so many levels. It is called for every event.
    """
    outside = False
    for value in values:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is dict or kind is list:
            if levels == 0:
                raise TooDeep(f"objects are nested deeper than {MAX_DEPTH} levels")
            outside |= out_of_range(value.values() if kind is dict else value, levels - 1)
        elif kind is int:
            outside |= not LOWEST <= value <= HIGHEST
        elif kind is NumberText or not (SMALLEST <= abs(value) < EXACT or value == 0):
            outside = True
    return outside


def _typed(levels: int) -> Any:
    scalar: Any = (
        None
        | bool
        | str
        | Annotated[int, msgspec.Meta(ge=LOWEST, le=HIGHEST)]
        | Annotated[float, msgspec.Meta(gt=-EXACT, lt=EXACT)]
    )
    value: Any = scalar
    for _ in range(levels):
        value = scalar | GenericAlias(list, (value,)) | GenericAlias(dict, (str, value))
    return value


if TYPE_CHECKING:
    Value: TypeAlias = Any
else:
    Value = _typed(levels=6)
"""A type for msgspec: it refuses, at no cost, numbers beyond the range, and what is nested deeper than most is."""

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape of JSON: two halves of a character, what cannot be stored, any other."""


def _storable_escape(escape: re.Match[str]) -> str:
    """Only what cannot be stored is an escape of six characters here."""
    return r"\ufffd" if len(escape[0]) == len(r"\u0000") else escape[0]


def _decoded(document: bytes) -> str:
    """JavaScript cuts emoji in two, and some encode the halves."""
    return document.decode(json.detect_encoding(document), "surrogatepass")


def _integer(text: str) -> int | NumberText:
    if len(text) <= 20 and LOWEST <= (number := int(text)) <= HIGHEST:
        return number
    return NumberText(text)


def _fraction(text: str) -> float | int | NumberText:
    number = float(text)
    if SMALLEST <= abs(number) < EXACT or number == 0:
        return number
    if math.isfinite(number) and LOWEST <= (exact := Decimal(text)) <= HIGHEST:
        return int(exact) if exact == exact.to_integral_value() else NumberText(text)
    return NumberText(text)


_DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=lambda _: None
)
