"""The calendars of the section `sla`: working hours in a time zone."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo

from shared.agreement.model.base import Id, Section
from shared.documents.limits import LENIENT, AtMost, Between, OneOrMany, TextForm


class Weekday(StrEnum):
    """A day of the week, as calendars name it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @classmethod
    def of(cls, day: date) -> Weekday:
        """The weekday of a date."""
        return tuple(cls)[day.weekday()]


Window = Annotated[
    str,
    AtMost(11),
    TextForm(
        r"([01]\d|2[0-3]):[0-5]\d-([0-3]\d|4[0-7]):[0-5]\d",
        name="a span of hours",
        words="such as 09:00-17:00; 22:00-30:00 runs into the next day, 00:00-24:00 is all of it",
        example="09:00-17:00",
    ),
]
Break = Annotated[
    str,
    AtMost(11),
    TextForm(
        r"([0-3]\d|4[0-7]):[0-5]\d-([0-3]\d|4[0-7]):[0-5]\d",
        name="a span of hours",
        words="such as 12:00-12:30; 26:00-26:30 is half past two in the night after",
        example="12:00-12:30",
    ),
]
Span = tuple[int, int]
"""A half-open interval of whole seconds."""


def span_of(window: str) -> Span:
    """When the window opens and closes, in seconds since midnight; `22:00-30:00` closes on the next day."""
    opens, closes = (3600 * int(edge[:2]) + 60 * int(edge[3:]) for edge in window.split("-"))
    return opens, closes


Windows = Annotated[tuple[Window, ...], AtMost(24)]
Breaks = Annotated[tuple[Break, ...], AtMost(24)]
HolidayName = Annotated[str, Field(min_length=1), AtMost(200)]
HolidaySets = Annotated[
    tuple[Annotated[str, AtMost(20)], ...],
    OneOrMany(
        {
            "type": "string",
            "maxLength": 20,
            "description": "An ISO country, or one with its subdivision: DE, DE-BE, US-CA.",
        }
    ),
    AtMost(20),
]


def _date_only(value: object, info: ValidationInfo) -> object:
    """The value; raises ValueError for an instant, whose offset pydantic would drop at midnight."""
    if isinstance(value, str) and "T" in value and info.context != LENIENT:
        raise ValueError("write a date, such as 2026-12-24; it is a day in the calendar's zone")
    return value


Day = Annotated[date, BeforeValidator(_date_only), Between(date(2000, 1, 1), date(2100, 12, 31))]


class Override(Section):
    """The windows of one date, which replace those of its weekday; without windows the date is closed."""

    windows: Windows = Field(default=(), description="Without windows the date is closed.")
    breaks: Breaks | None = Field(
        default=None,
        description="Instead of the breaks of its weekday, which apply where a date names none; `[]` for no break.",
    )
    even_if_holiday: bool = Field(default=False, description="Open although it is a holiday.")


class Calendar(Section):
    """Working hours in a time zone."""

    id: Id
    zone: Annotated[str, AtMost(100)] = Field(description="IANA, such as Europe/Berlin.")
    hours: Annotated[dict[Weekday, Windows], AtMost(7)] = Field(
        description="Half-open: 09:00-17:00; 22:00-30:00 runs into the next day; 00:00-24:00 is a whole day."
    )
    breaks: Annotated[dict[Weekday, Breaks], AtMost(7)] = Field(
        default_factory=dict,
        description="Taken out of whatever windows there are: 12:00-12:30. One in the night after the weekday is "
        "26:00-26:30, or 02:00-02:30 of the next.",
    )
    holidays: HolidaySets = Field(
        default=(),
        description="ISO country, with subdivision: DE, DE-BE, US-CA; or a list, of which any closes the date. The "
        "dates are kept with the published version.",
    )
    own_holidays: Annotated[dict[Day, HolidayName], AtMost(2000)] = Field(
        default_factory=dict,
        description="Dates that are holidays here, with their names: 2026-12-24: Christmas Eve.",
    )
    overrides: Annotated[dict[Day, Override], AtMost(2000)] = Field(
        default_factory=dict, description="Dates with hours of their own."
    )
    holiday_truncates_overnight: bool = Field(
        default=False, description="A holiday ends the night shift before it at midnight."
    )
    _kept_holidays: str = PrivateAttr(default="")

    @property
    def kept_holidays(self) -> str:
        """The dates that its holiday sets resolved to when they were published, as JSON; empty if none were kept."""
        return self._kept_holidays

    def keep_holidays(self, kept: str) -> Calendar:
        """This calendar, which from now on has the dates that its holiday sets resolved to."""
        self._kept_holidays = kept
        return self
