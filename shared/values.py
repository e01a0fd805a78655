"""The values that an event may hold, and the JSON decoder for them.

Libraries differ: one reads numbers of 64 bits, another of any size, PostgreSQL stores 131,072 digits, CEL calculates in
64 bits. So a number is an integer of 64 bits or a float within bounds, and any other number is kept as its text.
Objects and lists are nested at most MAX_DEPTH levels deep. Text is as `shared.text` can store it.
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
"""The most levels of objects and lists in an event. Libraries have limits too: pydantic's is 200."""

LOWEST, HIGHEST = -(2**63), 2**63 - 1
"""The bounds of integers."""

EXACT = 2.0**53
"""From here on a float cannot hold every whole number: such numbers are integers, or text."""

SMALLEST = 1e-18
"""A float nearer to zero is text, because PostgreSQL would write out each of its digits."""


class NumberText(str):
    """The text of a number that is out of range."""

    __slots__ = ()

    def digits(self) -> str | None:
        """All digits, if it is a whole number of 301 digits at most, else None."""
        number = Decimal(self)
        if number.adjusted() > 300 or number != number.to_integral_value():
            return None
        return f"{number:f}".partition(".")[0]


class TooDeep(ValueError):
    """Objects and lists are nested deeper than MAX_DEPTH."""


def loads(document: bytes | str) -> Any:
    """The decoded JSON, also where orjson refuses it; raises ValueError."""
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return loads_exactly(document)


def loads_exactly(document: bytes | str) -> Any:
    """The decoded JSON with numbers out of range as NumberText, and with text that can be stored.

    NaN and the infinities, which some clients send although JSON has none, are None. Raises ValueError.
    """
    text = document if isinstance(document, str) else _decoded(document)
    clean = storable(_ESCAPE.sub(_storable_escape, text))
    try:
        return _DECODER.decode(clean.lstrip("\ufeff"))
    except RecursionError:
        raise ValueError("objects are nested too deeply") from None


def normal_json(document: bytes | str) -> bytes:
    """The JSON with its values within range. A document that cannot be decoded is returned unchanged."""
    try:
        return orjson.dumps(loads_exactly(document))
    except (ValueError, TypeError):
        return document if isinstance(document, bytes) else document.encode("utf-8", "replace")


def may_hold_nul(document: bytes | str) -> bool:
    """Whether the JSON may hold U+0000, which PostgreSQL cannot store."""
    return rb"\u0000" in document if isinstance(document, bytes) else r"\u0000" in document


def out_of_range(values: Iterable[Any], levels: int = MAX_DEPTH) -> bool:
    """Whether a number in the values, at any depth, is out of range or is a NumberText.

    Raises TooDeep where objects are nested deeper than `levels`. It is called for every event.
    """
    is_outside = False
    for value in values:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is dict or kind is list:
            if levels == 0:
                raise TooDeep(f"objects are nested deeper than {MAX_DEPTH} levels")
            is_outside |= out_of_range(value.values() if kind is dict else value, levels - 1)
        elif kind is int:
            is_outside |= not LOWEST <= value <= HIGHEST
        elif kind is NumberText or not (SMALLEST <= abs(value) < EXACT or value == 0):
            is_outside = True
    return is_outside


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
"""A type for msgspec that refuses, without extra cost, numbers out of range and deeply nested objects."""

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape in JSON: a surrogate pair, a character that cannot be stored, or any other."""


def _storable_escape(escape: re.Match[str]) -> str:
    """U+FFFD for an escape of a character that cannot be stored; these are the matches of six characters."""
    return r"\ufffd" if len(escape[0]) == len(r"\u0000") else escape[0]


def _decoded(document: bytes) -> str:
    """The text. Surrogates that were encoded one by one are accepted: some JavaScript clients split emoji."""
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
