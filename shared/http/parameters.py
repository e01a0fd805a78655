"""Types for parameters: text, numbers and instants that every reader behind can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from shared.text import unstorable_at

MAX_CHARACTERS = 400
"""Longer than any address, id or name that is kept."""

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Instants outside cannot be moved between zones, or not by every reader; nothing here happens then."""


def _storable(text: str) -> str:
    index = unstorable_at(text)
    if index is not None:
        raise ValueError(f"the character at {index} is U+0000 or half of a pair: leave it out")
    return text


def _within(at: datetime) -> datetime:
    if not FIRST.replace(tzinfo=None) <= at.replace(tzinfo=None) <= LAST.replace(tzinfo=None):
        raise ValueError("write an instant of the years 1970 to 2199")
    return at


def _on(day: date) -> date:
    if not FIRST.date() <= day <= LAST.date():
        raise ValueError("write a date of the years 1970 to 2199")
    return day


PlainText = Annotated[str, Field(max_length=MAX_CHARACTERS), AfterValidator(_storable)]
"""Text of a caller, such as a name to look for."""

Instant = Annotated[AwareDatetime, AfterValidator(_within)]
"""A point in time with its offset."""

Day = Annotated[date, AfterValidator(_on)]
"""A date."""

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A number that counts something from 1."""

Position = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Where a row stands in its list."""
