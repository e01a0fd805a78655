"""Types of the fields that the file of reps has."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from shared.documents.limits import AtMost, Between, TextForm

Url = Annotated[
    str,
    AtMost(2000),
    TextForm(
        r"https?://.*",
        name="a URL",
        words="one that begins with https:// (or http://)",
        example="https://127.0.0.1/",
    ),
]
Email = Annotated[
    str,
    AtMost(254),
    TextForm(
        r"[^@\s]+@[^@\s]+",
        name="an e-mail address",
        words="one such as amira@example.com",
        example="unread@example.com",
    ),
]
Domain = Annotated[
    str,
    AtMost(253),
    TextForm(
        r"[^\s@/:.]+(\.[^\s@/:.]+)+",
        name="a domain",
        words="one such as kestrel.example",
        example="unread.example",
    ),
    AfterValidator(str.lower),
]
Words = Annotated[tuple[Annotated[str, Field(min_length=1), AtMost(100)], ...], AtMost(200)]


def _date_or_instant(value: object) -> object:
    """The date or the instant that a text is.

    Without this, pydantic would read an instant at midnight as a date, and a number as seconds since 1970.
    """
    parsed = None
    if isinstance(value, str):
        with suppress(ValueError):
            is_date = len(value) <= len("2026-12-24")
            parsed = date.fromisoformat(value) if is_date else datetime.fromisoformat(value)
    if parsed is None or (isinstance(parsed, datetime) and parsed.tzinfo is None):
        raise ValueError("write a date, 2026-12-24, or an instant, 2026-12-24T13:00:00-08:00")
    return parsed


Instant = Annotated[
    date | AwareDatetime,
    BeforeValidator(_date_or_instant),
    Between(date(2000, 1, 1), date(2100, 12, 31)),
]
"""A date, or an instant with its offset."""
Limit = Annotated[int, Between(1, 100_000)]


class Section(BaseModel):
    """A part of the file. An unknown name in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
