"""Days, which are those of UTC whatever the time zone of the session is, as expressions of SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, Interval, bindparam, cast, func, literal
from sqlalchemy.dialects.postgresql import TIMESTAMP

from shared.db.time_range import TimeRange

DAY = bindparam("day", type_=Date)
"""The day that is counted."""


def day_of(instant: ColumnElement[Any]) -> ColumnElement[date]:
    """The day of the instant."""
    return cast(func.timezone("UTC", instant), Date)


def midnight(day: ColumnElement[Any]) -> ColumnElement[datetime]:
    """The beginning of the day."""
    return func.timezone("UTC", cast(day, TIMESTAMP()))


def next_midnight(day: ColumnElement[Any]) -> ColumnElement[datetime]:
    """The end of the day."""
    return func.timezone("UTC", cast(day, TIMESTAMP()) + cast(literal("1 day"), Interval()))


def dates_in(times: TimeRange, day: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """The conditions under which the day lies in these times, which begin and end at midnight."""
    since, until = (None if it is None else it.astimezone(UTC).date() for it in times)
    lower = [] if since is None else [day >= since]
    return lower if until is None else [*lower, day < until]


SINCE, UNTIL = midnight(DAY), next_midnight(DAY)
"""The beginning and the end of the day that is counted."""
