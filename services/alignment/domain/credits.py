"""How many wins a report divides among their touches itself, before their days are counted."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Unavailable

MAX_UNCOUNTED = 20_000
"""So many wins of days that are not counted one report divides at most, which takes some seconds."""


class NotCounted(Unavailable):
    """Too many wins of the period are not counted yet, as after an upgrade or another window: try again in minutes."""

    code: ClassVar[str] = "not_counted"
    retry_after_s: ClassVar[int] = 60


def not_counted() -> NotCounted:
    """The error, with what to do."""
    return NotCounted(
        f"more than {MAX_UNCOUNTED:,} wins of this period are not counted yet: the worker of alignment does that in "
        "some minutes after an upgrade, or after a new window or half-life; try again then, or name a shorter period"
    )
