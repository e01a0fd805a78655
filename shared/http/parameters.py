"""Types of request parameters, whose bounds keep out what PostgreSQL or Python could not hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from shared.text import unstorable_at

MAX_CHARACTERS = 400
"""The longest text of a parameter; every stored address, id and name is shorter."""

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

Instant = Annotated[AwareDatetime, AfterValidator(_bounded_instant)]
"""A point in time with an offset."""

Day = Annotated[date, AfterValidator(_bounded_date)]
"""A date within the bounds."""

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A number from 1 that PostgreSQL's `integer` can hold."""

Position = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number from 0 that PostgreSQL's `bigint` can hold."""
