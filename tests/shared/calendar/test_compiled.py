"""Working hours in hard cases."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agreement.model import Calendar
from shared.calendar import CompiledCalendar, InvalidCalendar, Skipped, compile_calendar
from tests.shared.calendar.builders import HOUR, MINUTE, at, calendar, every_day

WEDNESDAY = "2026-11-18"


@pytest.mark.parametrize(
    ("since", "spent", "until"),
    [
        ("2026-11-18T09:00", 8, "2026-11-18T17:00"),
        ("2026-11-18T16:00", 2, "2026-11-19T10:00"),
        ("2026-11-18T06:00", 1, "2026-11-18T10:00"),
        ("2026-11-18T17:00", 1, "2026-11-19T10:00"),
        ("2026-11-20T16:30", 1, "2026-11-23T09:30"),
        ("2026-11-21T12:00", 40, "2026-11-27T17:00"),
        ("2026-11-18T20:00", 0, "2026-11-18T20:00"),
    ],
    ids=[
        "a whole day ends that day, not the next morning",
        "over night",
        "before opening",
        "closing is closed",
        "over the weekend",
        "a whole week from a Saturday",
        "nothing takes no time, closed or open",
    ],
)
def test_add_is_the_earliest_instant(since: str, spent: float, until: str) -> None:
    assert compile_calendar(calendar()).add(at(since), spent * HOUR) == at(until)


def test_windows_are_half_open() -> None:
    weekdays = compile_calendar(calendar())
    assert weekdays.is_open(at(f"{WEDNESDAY}T09:00"))
    assert weekdays.is_open(at(f"{WEDNESDAY}T16:59:59.999999"))
    assert not weekdays.is_open(at(f"{WEDNESDAY}T17:00"))
    assert not weekdays.is_open(at(f"{WEDNESDAY}T08:59:59.999999"))


def test_next_open_is_now_while_open() -> None:
    weekdays = compile_calendar(calendar())
    assert weekdays.next_open(at(f"{WEDNESDAY}T12:34:56")) == at(f"{WEDNESDAY}T12:34:56")
    assert weekdays.next_open(at(f"{WEDNESDAY}T17:00")) == at("2026-11-19T09:00")
    assert weekdays.next_open(at("2026-11-20T17:00")) == at("2026-11-23T09:00")


def test_nothing_is_open_from_an_instant_to_an_earlier_one() -> None:
    hours, noon = every_day("09:00-17:00"), at(f"{WEDNESDAY}T12:00")
    assert hours.open_intervals(noon, at(f"{WEDNESDAY}T20:00")) == [(noon, noon + 5 * HOUR)]
    assert [hours.open_intervals(noon + later, noon) for later in (0 * HOUR, 9 * HOUR)] == [[], []]


def test_a_lunch_break_is_the_gap_between_two_windows() -> None:
    weekdays = compile_calendar(calendar({"wed": ["09:00-12:00", "13:00-17:00"]}))
    assert weekdays.add(at(f"{WEDNESDAY}T11:30"), HOUR) == at(f"{WEDNESDAY}T13:30")
    assert not weekdays.is_open(at(f"{WEDNESDAY}T12:30"))


def test_instants_between_seconds_count_exactly() -> None:
    weekdays = compile_calendar(calendar())
    since = at(f"{WEDNESDAY}T10:00:00.25")
    assert weekdays.add(since, HOUR) == at(f"{WEDNESDAY}T11:00:00.25")
    assert weekdays.elapsed(since, at(f"{WEDNESDAY}T10:00:01")) == timedelta(seconds=0.75)


def test_a_night_shift_belongs_to_the_date_on_which_it_starts() -> None:
    nights = compile_calendar(calendar({"wed": ["22:00-30:00"]}))
    assert nights.is_open(at("2026-11-19T05:59"))
    assert not nights.is_open(at("2026-11-18T05:00"))
    assert nights.elapsed(at("2026-11-18T00:00"), at("2026-11-20T00:00")) == 8 * HOUR


HOLIDAY_NIGHTS = {"thu": ["22:00-30:00"], "fri": ["22:00-30:00"]}  # Friday 2026-12-25 is Christmas


@pytest.mark.parametrize(
    ("truncates", "tail"),
    [(False, 6 * HOUR), (True, timedelta(0))],
    ids=["a holiday keeps the tail of the shift before it", "unless it truncates"],
)
def test_a_holiday_removes_the_shift_that_starts_on_it(*, truncates: bool, tail: timedelta) -> None:
    nights = compile_calendar(
        calendar(HOLIDAY_NIGHTS, holidays="DE", holiday_truncates_overnight=truncates)
    )
    assert nights.elapsed(at("2026-12-24T12:00"), at("2026-12-25T00:00")) == 2 * HOUR
    assert nights.elapsed(at("2026-12-25T00:00"), at("2026-12-27T00:00")) == tail


def test_an_override_replaces_a_date_and_a_holiday_wins_over_it() -> None:
    weekdays = compile_calendar(
        calendar(
            holidays="DE",
            overrides={
                "2026-11-18": {},
                "2026-11-21": {"windows": ["10:00-11:00"]},
                "2026-12-25": {"windows": ["10:00-12:00"]},
                "2026-12-26": {"windows": ["10:00-11:00"], "even_if_holiday": True},
            },
        )
    )
    assert not weekdays.is_open(at("2026-11-18T12:00"))
    assert weekdays.is_open(at("2026-11-21T10:30"))
    assert not weekdays.is_open(at("2026-12-25T10:30"))
    assert weekdays.is_open(at("2026-12-26T10:30"))


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-14", 24)],
    ids=["spring forward", "fall back", "an ordinary Sunday"],
)
def test_a_sunday_of_24_hours_has_as_many_as_the_clocks_show(day: str, hours: int) -> None:
    always = every_day("00:00-24:00", zone="Europe/Berlin")
    midnight = at(f"{day}T00:00", "Europe/Berlin")
    next_midnight = midnight + timedelta(days=1)  # on the wall
    assert always.elapsed(midnight, next_midnight) == hours * HOUR


def test_a_window_inside_the_hour_that_happens_twice_counts_twice() -> None:
    night = every_day("02:15-02:45", zone="Europe/Berlin")
    day = at("2026-10-25T00:00", "Europe/Berlin")
    [first, second] = night.open_intervals(day, day + timedelta(days=1))
    assert second[0] - first[0] == HOUR
    assert [end - start for start, end in (first, second)] == [30 * MINUTE, 30 * MINUTE]


def test_a_window_inside_the_hour_that_never_happens_counts_nothing() -> None:
    night = every_day("02:15-02:45", zone="Europe/Berlin")
    day = at("2026-03-29T00:00", "Europe/Berlin")
    assert night.elapsed(day, day + timedelta(days=1)) == timedelta(0)


def test_holidays_are_named_where_they_closed_hours() -> None:
    weekdays = compile_calendar(calendar(holidays="DE-BE"))
    assert weekdays.skipped_holidays(at("2026-12-24T12:00"), at("2026-12-28T12:00")) == [
        Skipped(date(2026, 12, 25), "Christmas Day")  # the 26th is a Saturday, closed anyway
    ]


def test_a_break_is_taken_out_of_the_windows_of_its_weekday() -> None:
    weekdays = compile_calendar(calendar(breaks={"wed": ["12:00-12:30", "15:00-15:15"]}))
    assert weekdays.add(at(f"{WEDNESDAY}T11:30"), HOUR) == at(f"{WEDNESDAY}T13:00")
    assert not weekdays.is_open(at(f"{WEDNESDAY}T12:29:59"))
    assert weekdays.is_open(at(f"{WEDNESDAY}T12:30"))
    assert weekdays.elapsed(at(f"{WEDNESDAY}T00:00"), at("2026-11-19T00:00")) == 7.25 * HOUR
    assert weekdays.skipped_breaks(at(f"{WEDNESDAY}T12:10"), at(f"{WEDNESDAY}T23:00")) == [
        (at(f"{WEDNESDAY}T12:10"), at(f"{WEDNESDAY}T12:30")),
        (at(f"{WEDNESDAY}T15:00"), at(f"{WEDNESDAY}T15:15")),
    ]
    assert weekdays.skipped_breaks(at(f"{WEDNESDAY}T13:00"), at(f"{WEDNESDAY}T12:00")) == []


@pytest.mark.parametrize(
    ("breaks", "open_time"),
    [({}, 7.5), ({"breaks": []}, 8), ({"breaks": ["10:00-12:00"]}, 6)],
    ids=["the breaks of its weekday", "none", "its own"],
)
def test_a_date_has_the_breaks_of_its_weekday_unless_it_names_its_own(
    breaks: dict[str, list[str]], open_time: float
) -> None:
    weekdays = compile_calendar(
        calendar(
            breaks={"wed": ["12:00-12:30"]},
            overrides={WEDNESDAY: {"windows": ["08:00-16:00"], **breaks}},
        )
    )
    day = at(f"{WEDNESDAY}T00:00"), at("2026-11-19T00:00")
    assert weekdays.elapsed(*day) == open_time * HOUR


@pytest.mark.parametrize("breaks", [{"wed": ["26:00-26:30"]}, {"thu": ["02:00-02:30"]}])
def test_a_break_interrupts_the_night_shift_of_the_date_before(
    breaks: dict[str, list[str]],
) -> None:
    nights = compile_calendar(calendar({"wed": ["22:00-30:00"]}, breaks=breaks))
    assert nights.add(at("2026-11-19T01:30"), HOUR) == at("2026-11-19T03:00")


def test_own_holidays_have_names_and_precede_those_of_sets() -> None:
    weekdays = compile_calendar(
        calendar(holidays="DE", own_holidays={"2026-12-24": "Christmas Eve", "2026-12-25": "Ours"})
    )
    assert weekdays.skipped_holidays(at("2026-12-23T12:00"), at("2026-12-28T12:00")) == [
        Skipped(date(2026, 12, 24), "Christmas Eve"),
        Skipped(date(2026, 12, 25), "Ours"),
    ]
    assert not weekdays.is_open(at("2026-12-24T12:00"))


def test_a_holiday_of_any_set_closes_the_date() -> None:
    weekdays = compile_calendar(calendar(holidays=["DE-BE", "US"]))
    assert not weekdays.is_open(at("2026-11-26T12:00"))  # Thanksgiving
    assert not weekdays.is_open(at("2027-03-08T12:00"))  # Women's Day in Berlin
    assert weekdays.is_open(at("2027-03-09T12:00"))


def test_names_of_holidays_do_not_depend_on_the_language_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    weekdays = CompiledCalendar(calendar(holidays="DE"))
    [skipped] = weekdays.skipped_holidays(at("2026-12-25T00:00"), at("2026-12-25T23:00"))
    assert skipped.name == "Christmas Day"


def test_kept_holidays_precede_those_of_the_installed_package() -> None:
    days = {"2026-11-18": "Day of Repentance"}
    kept = {"DE": {"first_year": 2026, "last_year": 2026, "days": days}}
    rules = calendar(holidays="DE").keep_holidays(json.dumps(kept))
    weekdays = compile_calendar(rules)
    assert not weekdays.is_open(at(f"{WEDNESDAY}T12:00"))
    assert weekdays.is_open(at("2026-12-25T12:00"))  # the package has it, but it was not kept
    assert not weekdays.is_open(at("2030-12-25T12:00"))  # no year that was kept
    assert compile_calendar(calendar(holidays="DE")).is_open(at(f"{WEDNESDAY}T12:00"))


def test_kept_holidays_of_a_set_that_the_package_has_no_more_are_read() -> None:
    kept = {"XX": {"first_year": 2020, "last_year": 2030, "days": {WEDNESDAY: "Gone"}}}
    weekdays = CompiledCalendar(calendar(holidays="XX").keep_holidays(json.dumps(kept)))
    assert not weekdays.is_open(at(f"{WEDNESDAY}T12:00"))
    with pytest.raises(InvalidCalendar, match="no holidays for 'XX'"):
        weekdays.is_open(at("2031-11-19T12:00"))


def test_a_distant_instant_extends_the_horizon() -> None:
    weekdays = CompiledCalendar(calendar())
    assert weekdays.is_open(at(f"{WEDNESDAY}T12:00"))
    assert weekdays.is_open(at("2035-11-21T12:00"))
    assert weekdays.is_open(at("2011-11-16T12:00"))
    assert weekdays.add(at(f"{WEDNESDAY}T09:00"), timedelta(days=2000)) > at("2040-01-01T00:00")
    assert weekdays.elapsed(at("2010-01-04T09:00"), at("2045-01-01T00:00")) > timedelta(days=3000)


def test_time_never_runs_backwards() -> None:
    assert (
        compile_calendar(calendar()).elapsed(at("2026-11-19T12:00"), at("2026-11-18T12:00"))
        == 0 * HOUR
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (calendar({}), "never open"),
        (calendar({"mon": []}, overrides={"2026-01-01": {}}), "never open"),
        (calendar(zone="Europe/Atlantis"), "no zone 'Europe/Atlantis'"),
        (calendar(zone="../etc/passwd"), "no zone"),
        (calendar(holidays="XX"), "no holidays for 'XX'"),
        (calendar(holidays="DE-XX"), "no holidays for 'DE-XX'"),
        (calendar({"mon": ["17:00-09:00"]}), "ends before it starts"),
        (calendar({"mon": ["09:00-09:00"]}), "ends before it starts"),
        (calendar(breaks={"mon": ["12:00-12:00"]}), "ends before it starts"),
    ],
    ids=[
        "no hours",
        "closed overrides",
        "zone",
        "path",
        "country",
        "state",
        "inverted",
        "empty",
        "break",
    ],
)
def test_a_calendar_that_cannot_be_is_refused(wrong: Calendar, says: str) -> None:
    with pytest.raises(InvalidCalendar, match=says):
        compile_calendar(wrong)


def test_a_calendar_that_opened_once_does_not_guess_when_it_opens_again() -> None:
    once = compile_calendar(calendar({}, overrides={"2026-11-18": {"windows": ["09:00-10:00"]}}))
    assert once.add(at("2026-11-01T00:00"), HOUR) == at("2026-11-18T10:00")
    with pytest.raises(InvalidCalendar, match="within twenty years"):
        once.next_open(at("2026-11-18T10:00"))
    with pytest.raises(InvalidCalendar, match="within twenty years"):
        once.add(at("2026-11-18T09:30"), HOUR)


@given(
    st.integers(0, 10**7).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.integers(1, 10**7).map(lambda s: timedelta(seconds=s)),
)
def test_add_and_elapsed_are_inverse(since: datetime, spent: timedelta) -> None:
    weekdays = compile_calendar(calendar(zone="Europe/Berlin", holidays="DE"))
    until = weekdays.add(since, spent)
    assert weekdays.elapsed(since, until) == spent
    assert weekdays.elapsed(since, until - timedelta(microseconds=1)) < spent
