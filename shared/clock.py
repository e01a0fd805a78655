"""The only place that reads the clock; everybody else is told what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

TimeSource = Callable[[], datetime]


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
