"""Durations as files have them: a number and a unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>s|m|h|d)", re.ASCII)
_ENDLESS_S = timedelta.max // timedelta(seconds=1)
"""Longer than any field takes, so that the field refuses it with its own bound."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(value: object) -> object:
    """The duration of `90s`, `15m`, `4h` or `30d` (a day is 24 hours); ValueError for anything else."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(seconds=min(float(match["number"]) * _SECONDS[match["unit"]], _ENDLESS_S))
    if isinstance(value, timedelta):
        return value
    raise ValueError("a duration is a number and a unit: 90s, 15m, 4h or 30d")


def half_life(value: object) -> object:
    """A duration, or None for `never`: the points do not decay."""
    return None if value in ("never", None) else duration(value)


_NUMBER_AND_UNIT = r"^\s*\d+(\.\d+)?[smhd]\s*$"
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": "string", "pattern": _NUMBER_AND_UNIT}),
]
HalfLife = Annotated[
    timedelta | None,
    BeforeValidator(half_life),
    WithJsonSchema({"type": "string", "pattern": f"{_NUMBER_AND_UNIT}|^never$"}),
]
