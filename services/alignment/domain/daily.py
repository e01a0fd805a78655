"""Days whose outcomes are announced: which are due, and what keeps one from being counted."""

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

    of: str
    """The topic, or what else holds the records."""
    records: int
    oldest_at: datetime | None
    measured_at: datetime


def days_due(announced: Set[date], *, now: datetime) -> list[date]:
    """The days in UTC that have ended and were not announced, the oldest first."""
    today = (now - GRACE).astimezone(UTC).date()
    days = (today - timedelta(days=age) for age in range(MAX_DAYS, 0, -1))
    return [it for it in days if it not in announced]


def obstacle(day: date, backlogs: Collection[Backlog]) -> str | None:
    """Why not all is known to be read that was announced on this day, in words; None if all is."""
    if not backlogs:
        return "the relay has never measured what is unread"
    causes = (_obstacle(it, end_of(day)) for it in backlogs)
    return next((it for it in causes if it is not None), None)


def late_by(day: date, *, now: datetime) -> timedelta:
    """How long ago this day was due."""
    return max(now - end_of(day) - GRACE, timedelta())


def end_of(day: date) -> datetime:
    """The instant at which the day has ended in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _obstacle(backlog: Backlog, ended_at: datetime) -> str | None:
    """Why something of before this instant may wait, by a measurement that must be after it."""
    if backlog.measured_at < ended_at:
        return f"what is unread of {backlog.of} was last measured at {_text(backlog.measured_at)}"
    if not backlog.records:
        return None
    if backlog.oldest_at is None:
        return f"{backlog.records} records of {backlog.of} wait, of which the oldest cannot be read"
    if backlog.oldest_at < ended_at:
        return f"{backlog.records} records of {backlog.of} wait, the oldest since {_text(backlog.oldest_at)}"
    return None


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
