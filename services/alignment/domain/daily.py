"""Days whose outcomes are announced: which are due, and whether all that happened on one was read."""

from __future__ import annotations

from collections.abc import Collection, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

GRACE = timedelta(hours=1)
"""So long after its end a day is counted: what a rep did late in the evening may be reported a little later."""
MAX_DAYS = 7
"""After a longer downtime the days before these are not announced any more."""


class Backlog(NamedTuple):
    """What waits to be read or published, as it was measured last."""

    records: int
    oldest_at: datetime | None
    measured_at: datetime


def days_due(announced: Set[date], *, now: datetime) -> list[date]:
    """The days in UTC that have ended and were not announced, the oldest first."""
    today = (now - GRACE).astimezone(UTC).date()
    days = (today - timedelta(days=age) for age in range(MAX_DAYS, 0, -1))
    return [it for it in days if it not in announced]


def is_read(day: date, backlogs: Collection[Backlog]) -> bool:
    """Whether all that was announced on this day was read, by backlogs that were measured after it; of none: no."""
    ended_at = end_of(day)
    return bool(backlogs) and all(_is_past(it, ended_at) for it in backlogs)


def end_of(day: date) -> datetime:
    """The instant at which the day has ended in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _is_past(backlog: Backlog, ended_at: datetime) -> bool:
    """Whether nothing of before this instant waits, to be seen by a measurement after it."""
    if backlog.measured_at < ended_at:
        return False
    return not backlog.records or (backlog.oldest_at is not None and backlog.oldest_at >= ended_at)
