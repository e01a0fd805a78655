"""The whole days of a time, and the parts of days at its ends. Days are those of UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

DAY = timedelta(days=1)
Range = tuple[datetime, datetime]
"""The instants from the first on and before the second."""


def whole_days_of(since: datetime, until: datetime) -> Range:
    """From the first midnight to the last one; an empty range if there is no whole day between them."""
    first = _midnight_before(since)
    first += DAY if first < since else timedelta()
    return first, max(first, _midnight_before(until))


def edges_of(since: datetime, until: datetime) -> list[Range]:
    """The parts of days before the first whole day and after the last one."""
    first, last = whole_days_of(since, until)
    if first == last:
        return [(since, until)] if since < until else []
    return [it for it in ((since, first), (last, until)) if it[0] < it[1]]


def _midnight_before(instant: datetime) -> datetime:
    return datetime.combine(instant.astimezone(UTC).date(), time(), UTC)
