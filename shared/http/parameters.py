"""Types of request parameters, whose bounds keep out what PostgreSQL or Python could not hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from shared.db.time_range import TimeRange
from shared.errors import Rejected
from shared.text import unstorable_at

MAX_CHARACTERS = 400
"""The longest text of a parameter; every stored address, id and name is shorter."""
MAX_NOTE = 2_000
"""The longest note."""

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""The bounds of instants and dates. Conversions between time zones fail near the years 1 and 9999."""


def _storable(text: str) -> str:
    index = unstorable_at(text)
    if index is not None:
        raise ValueError(f"the character at {index} is U+0000 or half of a pair: leave it out")
    return text


def _bounded_instant(instant: datetime) -> datetime:
    if not FIRST.replace(tzinfo=None) <= instant.replace(tzinfo=None) <= LAST.replace(tzinfo=None):
        raise ValueError("write an instant of the years 1970 to 2199")
    return instant


def _bounded_date(day: date) -> date:
    if not FIRST.date() <= day <= LAST.date():
        raise ValueError("write a date of the years 1970 to 2199")
    return day


PlainText = Annotated[str, Field(max_length=MAX_CHARACTERS), AfterValidator(_storable)]
"""Text without U+0000 and lone surrogates, which PostgreSQL cannot store."""

Note = Annotated[str, Field(min_length=1, max_length=MAX_NOTE), AfterValidator(_storable)]
"""What somebody wants to say to others who read it later."""

Instant = Annotated[AwareDatetime, AfterValidator(_bounded_instant)]
"""A point in time with an offset."""

Day = Annotated[date, AfterValidator(_bounded_date)]
"""A date within the bounds."""

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A number from 1 that PostgreSQL's `integer` can hold."""

Position = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number from 0 that PostgreSQL's `bigint` can hold."""

SINCE = "from this instant on, or from the start of this date in UTC."
"""The description of a parameter of type Since, after a participle such as `Qualified`."""
UNTIL = "before this instant, or until the end of this date in UTC."
"""The description of a parameter of type Until, after a participle such as `Qualified`."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET_AFTER_BLANK = re.compile(r"(T.*) ([0-9]{2}:?[0-9]{2})")
_EITHER_FORM = "write a date such as 2026-11-18, or an instant such as 2026-11-18T09:00:00Z"
_DATES: TypeAdapter[date] = TypeAdapter(Day)
_INSTANTS: TypeAdapter[datetime] = TypeAdapter(Instant)


def instant_since(text: str) -> datetime:
    """The instant of the text, or the start of its date in UTC; raises ValueError."""
    return _instant(text, end_of_date=False)


def instant_until(text: str) -> datetime:
    """The instant of the text, or the end of its date in UTC; raises ValueError."""
    return _instant(text, end_of_date=True)


def first_date(text: str) -> date:
    """The date of the text, or that of its instant in the offset of the text; raises ValueError."""
    return instant_since(text).date()


def last_date(text: str) -> date:
    """The date of the text, or the last one that begins before its instant; raises ValueError."""
    return (instant_until(text) - timedelta(microseconds=1)).date()


def date_or_instant(value: object) -> date:
    """The date or the instant, which is a datetime, of a text; raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(_EITHER_FORM)  # noqa: TRY004 - pydantic makes an answer of a ValueError only
    instant = instant_since(value)
    return instant.date() if _DATE.fullmatch(value) else instant


def _instant(text: str, *, end_of_date: bool) -> datetime:
    try:
        if _DATE.fullmatch(text):
            day = datetime.combine(_DATES.validate_python(text), datetime.min.time(), UTC)
            return day + timedelta(days=1) if end_of_date else day
        # A `+` in a query stands for a blank unless it is encoded.
        return _INSTANTS.validate_python(_OFFSET_AFTER_BLANK.sub(r"\1+\2", text))
    except ValidationError:
        raise ValueError(_EITHER_FORM) from None


def _of_text(read: Callable[[str], object]) -> BeforeValidator:
    """A validator that reads texts and leaves other values alone."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


_EITHER = WithJsonSchema(
    {"anyOf": [{"type": "string", "format": it} for it in ("date", "date-time")]}
)

Since = Annotated[datetime, _of_text(instant_since), _EITHER]
"""The first instant of a list, written as an instant or as a date, which begins at midnight in UTC."""

Until = Annotated[datetime, _of_text(instant_until), _EITHER]
"""The instant before which a list ends, written as an instant or as a date, which is included."""

FirstDate = Annotated[date, _of_text(first_date), _EITHER]
"""The first date of a report, written as a date or as an instant on it."""

LastDate = Annotated[date, _of_text(last_date), _EITHER]
"""The last date of a report, written as a date or as an instant that ends it."""


DateOrInstant = Annotated[date, PlainValidator(date_or_instant), _EITHER]
"""A date whose zone is not known yet, or an instant, which is a datetime."""


class EmptyRange(Rejected):
    """`since` does not lie before `until`."""

    code = "empty_range"


def time_range(since: datetime | None, until: datetime | None) -> TimeRange:
    """The range of a list; raises EmptyRange."""
    if since is not None and until is not None and since >= until:
        raise EmptyRange("`since` must lie before `until`")
    return TimeRange(since, until)
