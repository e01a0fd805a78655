"""Sets of TCP ports as settings write them: `80,443,1024-65535`."""

from __future__ import annotations

import re

HIGHEST = 65_535
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def ports_of(text: str) -> frozenset[int]:
    """The ports of a list of numbers and ranges; raises ValueError."""
    return frozenset().union(*(_range(part.strip()) for part in text.split(",")))


def _range(part: str) -> range:
    match = _RANGE.fullmatch(part)
    first, last = (match[1], match[2] or match[1]) if match else ("", "")
    if not match or not 1 <= int(first) <= int(last) <= HIGHEST:
        raise ValueError(
            f"{part!r} is no port: write numbers from 1 to {HIGHEST} and ranges, such as 80,443,1024-65535"
        )
    return range(int(first), int(last) + 1)
