"""Durations as people write them: a number and a unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)", re.ASCII)
_ENDLESS_S = timedelta.max // timedelta(seconds=1)
"""More than any field takes: each refuses it with its own bound."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(said: object) -> object:
    """`90s`, `15m`, `4h`, `30d` (a day is 24 hours); anything else is left for pydantic to refuse."""
    if isinstance(said, str) and (found := _DURATION.fullmatch(said.strip())):
        return timedelta(seconds=min(float(found[1]) * _SECONDS[found[2]], _ENDLESS_S))
    if isinstance(said, timedelta):
        return said
    raise ValueError("a duration is a number and a unit: 90s, 15m, 4h or 30d")


def half_life(said: object) -> object:
    """A duration, or `never` for points that do not decay."""
    return None if said in ("never", None) else duration(said)


Duration = Annotated[timedelta, BeforeValidator(duration)]
HalfLife = Annotated[timedelta | None, BeforeValidator(half_life)]
