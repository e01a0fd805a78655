"""Conditions that only compare numbers with constants, as most thresholds do, answered in a tenth of CEL's time.

Thresholds are evaluated for every lead of every batch, over numbers with fractions, which no cache helps with.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.agreement.cel.read import Kind, Token, tokens


class Bound(NamedTuple):
    """A number that a fact is compared with."""

    name: str
    compare: Callable[[float, float], bool]
    number: float


_COMPARISONS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_EXACT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
"""Constants that CEL and Python read as the same number."""


def bounds_of(source: str) -> Sequence[Bound] | None:
    """The bounds, if the source is nothing but bounds joined by `&&`; else None."""
    bounds = []
    for part in _conjuncts(tokens(source)):
        bound = _bound(part)
        if bound is None:
            return None
        bounds.append(bound)
    return bounds


def within(bounds: Sequence[Bound], facts: Mapping[str, Any]) -> bool | None:
    """Whether all bounds hold, as CEL would answer; None where a value is no float, so that CEL must be asked."""
    for name, compare, number in bounds:
        value = facts.get(name)
        if type(value) is not float:
            return None
        if not compare(value, number):
            return False
    return True


def _conjuncts(source: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The parts between the signs `&&`."""
    start = 0
    for index, token in enumerate(source):
        if token.text == "&&":
            yield source[start:index]
            start = index + 1
    yield source[start:]


def _bound(part: Sequence[Token]) -> Bound | None:
    match [it.text for it in part]:
        case [name, sign, "-", number]:
            number = f"-{number}"
        case [name, sign, number]:
            pass
        case _:
            return None
    if part[0].kind is not Kind.NAME or sign not in _COMPARISONS:
        return None
    if not _EXACT.fullmatch(part[-1].text):
        return None
    return Bound(name, _COMPARISONS[sign], float(number))
