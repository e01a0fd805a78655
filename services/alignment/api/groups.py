"""How many groups a report lists."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query

MAX_GROUPS: Final = 5_000
DEFAULT_GROUPS: Final = 500

GroupLimit = Annotated[
    int,
    Query(
        ge=1,
        le=MAX_GROUPS,
        description="Most groups in `items` that have a name; the others are summed in `others`. A CSV has 10,000 of "
        "them, and a last row whose `groups` says how many others it sums.",
    ),
]
