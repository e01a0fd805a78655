"""Tests of the two forms of `since` and `until`: a date, and an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.http.parameters import (
    DateOrInstant,
    EmptyRange,
    FirstDate,
    LastDate,
    Since,
    Until,
    time_range,
)

MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Since, "2026-11-18", MIDNIGHT),
        (Until, "2026-11-17", MIDNIGHT),
        (Since, "2026-11-18T00:00:00Z", MIDNIGHT),
        (Until, "2026-11-18T00:00:00Z", MIDNIGHT),
        (Since, "2026-11-17T16:00:00-08:00", MIDNIGHT),
        (Since, "2026-11-18T01:00:00+01:00", MIDNIGHT),
        (Since, "2026-11-18T01:00:00 01:00", MIDNIGHT),
        (FirstDate, "2026-11-18", date(2026, 11, 18)),
        (FirstDate, "2026-11-18T00:00:00-08:00", date(2026, 11, 18)),
        (LastDate, "2026-11-18", date(2026, 11, 18)),
        (LastDate, "2026-11-18T00:00:00Z", date(2026, 11, 17)),
        (LastDate, "2026-11-18T09:00:00Z", date(2026, 11, 18)),
        (DateOrInstant, "2026-11-18", date(2026, 11, 18)),
        (DateOrInstant, "2026-11-18T00:00:00Z", MIDNIGHT),
    ],
)
def test_a_date_and_an_instant_are_both_read(kind: type, text: str, expected: date) -> None:
    assert TypeAdapter(kind).validate_python(text) == expected


@pytest.mark.parametrize("kind", [Since, Until, FirstDate, LastDate, DateOrInstant])
@pytest.mark.parametrize("text", ["24.12.2026", "2026-02-30", "2026-11-18T09:00", "", "9999-12-31"])
def test_other_texts_say_what_to_write(kind: type, text: str) -> None:
    with pytest.raises(ValidationError, match="2026-11-18T09:00:00Z"):
        TypeAdapter(kind).validate_python(text)


def test_a_number_is_neither_a_date_nor_an_instant() -> None:
    with pytest.raises(ValidationError, match="2026-11-18T09:00:00Z"):
        TypeAdapter(DateOrInstant).validate_python(1_795_000_000)


def test_a_range_that_holds_nothing_is_refused() -> None:
    with pytest.raises(EmptyRange):
        time_range(MIDNIGHT, MIDNIGHT)
    assert time_range(None, MIDNIGHT).until == MIDNIGHT
