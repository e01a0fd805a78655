"""The nightly recount of the tallies: when it begins, and which dates of qualification it has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

BEGINS_AT_HOUR = 2
"""In UTC."""
PAST = timedelta(days=100)
"""A quarter, and a little more."""


class Recount(NamedTuple):
    """How far the recount of a night is. `finished_at` is when one was last finished, perhaps an earlier one."""

    night: date
    next_on: date
    last_on: date
    handoffs: int = 0
    differences: int = 0
    finished_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether every date of this night has been counted."""
        return self.next_on > self.last_on


def recount_at(now: datetime, last: Recount | None) -> Recount | None:
    """The recount that there is to do now: a new one, the rest of the last one, or None."""
    night = now.astimezone(UTC).date()
    is_new = last is None or (last.night < night and now.astimezone(UTC).hour >= BEGINS_AT_HOUR)
    if is_new:
        finished_at = None if last is None else last.finished_at
        return Recount(night, night - PAST, night, finished_at=finished_at)
    return None if last is None or last.is_finished else last


def after_date(recount: Recount, *, handoffs: int, differences: int, now: datetime) -> Recount:
    """The recount after one date: so many handoffs were counted, and so many tallies differed."""
    after = recount._replace(
        next_on=recount.next_on + timedelta(days=1),
        handoffs=recount.handoffs + handoffs,
        differences=recount.differences + differences,
    )
    return after._replace(finished_at=now) if after.is_finished else after
