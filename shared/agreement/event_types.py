"""Types of events: how the names that senders use are converted, and which types can arrive."""

from __future__ import annotations

import re
from functools import lru_cache

NATIVE_TYPE = r"^[A-Za-z][A-Za-z0-9_.]{0,99}$"
"""The types that the native API takes, and keeps as they are."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[^\w.]+")


@lru_cache(maxsize=4_000)
def snake_case(name: str) -> str:
    """`Demo Requested` and `demoRequested` are `demo_requested`."""
    return _NOT_WORD.sub("_", _CAMEL.sub("_", name.strip())).strip("_").lower()[:100]


def can_arrive(type_: str) -> bool:
    """Whether an event may have this type."""
    return type_ == snake_case(type_) or re.match(NATIVE_TYPE, type_) is not None
