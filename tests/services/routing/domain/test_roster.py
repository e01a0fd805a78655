"""Tests of time off: what the file says, and what ops recorded beside it."""

from __future__ import annotations

from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from tests.services.routing.builders import at, rep

HOLIDAY = Absence(at(18), at(20))
SICK = RecordedAbsence(Absence(at(18), OPEN_END), "ops/olga")
BETTER = RecordedAbsence(Absence(at(18), at(20)), "ops/olga")


def test_an_absence_is_added_to_the_time_off_of_the_file() -> None:
    grace = rep("grace", time_off=(HOLIDAY,)).with_absence(SICK)

    assert grace.time_off == (HOLIDAY, SICK.absence)
    assert grace.away_until(at(21)) == OPEN_END
    assert SICK.absence.is_open_ended
    assert not HOLIDAY.is_open_ended


def test_a_new_absence_replaces_the_former_one() -> None:
    grace = rep("grace").with_absence(SICK).with_absence(BETTER, instead_of=SICK)

    assert grace.time_off == (BETTER.absence,)


def test_time_off_of_the_file_stays_when_an_equal_absence_ends() -> None:
    grace = rep("grace", time_off=(HOLIDAY,)).with_absence(BETTER)

    assert grace.with_absence(None, instead_of=BETTER).time_off == (HOLIDAY,)


def test_an_absence_that_the_rep_does_not_have_ends_without_effect() -> None:
    assert rep("grace").with_absence(None, instead_of=SICK) == rep("grace")
