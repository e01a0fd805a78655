"""Conditions that only hold numbers against constants, as most thresholds do: answered here, in a tenth of CEL's time.

Thresholds are asked of every lead in every batch, about numbers with fractions, which no memory helps with.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Bound = tuple[str, Callable[[float, float], bool], float]
"""The name of a number, how it is compared, and with what."""

_BOUND = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|>|<=|<)\s*(-?\d{1,15}(?:\.\d{1,15})?)\s*", re.ASCII)
_COMPARED = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


def bounds_of(source: str) -> Sequence[Bound] | None:
    """The bounds, if the source is nothing but bounds that must all hold."""
    found = [_BOUND.fullmatch(part) for part in source.split("&&")]
    told = [it.groups() for it in found if it is not None]
    if len(told) < len(found):
        return None
    return [(name, _COMPARED[sign], float(number)) for name, sign, number in told]


def within(bounds: Sequence[Bound], facts: Mapping[str, Any]) -> bool | None:
    """Whether all bounds hold, as CEL would say; None where CEL must be asked, as it is not about fractions."""
    for name, compared, bound in bounds:
        value = facts.get(name)
        if type(value) is not float:
            return None
        if not compared(value, bound):
            return False
    return True
