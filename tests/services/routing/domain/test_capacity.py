"""What teams can take on the next dates, against a plain count hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.capacity import (
    CapacityPlan,
    DayCapacity,
    capacity_by_team,
    new_plans,
)
from services.routing.domain.policy import RoutingPolicy
from services.routing.domain.roster import OPEN_END, Absence, Rep, Roster
from shared.contracts.payloads.capacity import DAYS_AHEAD
from tests.builders import agreement
from tests.services.routing.builders import rep

FIRST = date(2026, 12, 21)
"""A Monday."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALENDARS: list[dict[str, Any]] = [
    {
        "id": "office",
        "zone": "UTC",
        "hours": {it: ["09:00-17:00"] for it in WEEKDAYS[:5]},
        "own_holidays": {"2026-12-25": "Christmas"},
        "overrides": {"2026-12-26": {"windows": ["10:00-12:00"]}},
    },
    {"id": "nights", "zone": "Europe/Berlin", "hours": {"mon": ["22:00-30:00"]}},
    {"id": "always", "zone": "America/New_York", "hours": {it: ["00:00-24:00"] for it in WEEKDAYS}},
]
TEAMS = [
    {"id": "sales", "calendar": "office"},
    {"id": "emea", "calendar": "nights"},
    {"id": "us", "calendar": "always"},
]
POLICY = RoutingPolicy(
    1,
    agreement(
        routing={"teams": TEAMS, "rules": [{"id": "all", "when": True, "team": "sales"}]},
        sla={"calendars": CALENDARS, "policies": []},
    ),
)
HOURS_OF_TEAM = {it["id"]: it["calendar"] for it in TEAMS}


def away(since: datetime, until: datetime) -> dict[str, Any]:
    return {"time_off": (Absence(since, until),)}


def at(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def plan_of(*reps: Rep, team: str = "sales") -> tuple[DayCapacity, ...]:
    return capacity_by_team(Roster.of(1, reps), POLICY, FIRST)[team]


def test_a_week_has_its_working_days_without_the_holiday_and_with_the_day_that_is_open_for_once() -> (
    None
):
    week = plan_of(rep("ada", per_day_limit=10), rep("bob", per_day_limit=5))[:7]

    assert [it.on for it in week] == [FIRST + number * DAY for number in range(7)]
    assert [it.leads for it in week] == [15, 15, 15, 15, 0, 15, 0]
    assert [it.reps for it in week] == [2, 2, 2, 2, 0, 2, 0]


def test_a_rep_without_a_limit_a_day_is_counted_apart() -> None:
    monday = plan_of(rep("ada", per_day_limit=10), rep("bob", open_limit=5))[0]

    assert monday == DayCapacity(FIRST, reps=2, leads=10, unlimited=1)


@pytest.mark.parametrize(
    ("fields", "leads"),
    [
        ({"active": False}, 0),
        ({"team": "former"}, 0),
        (away(at(FIRST, 9), at(FIRST, 17)), 0),
        (away(at(FIRST, 10), at(FIRST, 17)), 10),
        (away(at(FIRST, 9), at(FIRST, 16)), 10),
        (away(at(FIRST - DAY), OPEN_END), 0),
        ({"time_off": (Absence(at(FIRST, 12), at(FIRST, 18)), Absence(at(FIRST, 8), at(FIRST, 12)))}, 0),
        ({"time_off": (Absence(at(FIRST, 13), at(FIRST, 18)), Absence(at(FIRST, 8), at(FIRST, 12)))}, 10),
        ({"hours": "nights"}, 10),
        ({"hours": "unknown"}, 10),
    ],
    ids=["inactive", "unknown team", "off all day", "off later", "off before", "off without an end",
         "off in two parts", "off but for an hour", "own hours", "hours that are no more"],
)  # fmt: skip
def test_who_works_on_a_monday(fields: dict[str, Any], leads: int) -> None:
    assert plan_of(rep("ada", per_day_limit=10, **fields))[0].leads == leads


def test_a_night_is_work_on_both_of_its_dates() -> None:
    week = plan_of(rep("ada", team="emea", per_day_limit=10), team="emea")[:7]

    assert [it.leads for it in week] == [10, 10, 0, 0, 0, 0, 0]


def test_hours_around_the_clock_are_cut_at_the_midnights_of_their_zone() -> None:
    midnight = datetime.combine(FIRST, time(), ZoneInfo("America/New_York"))
    off = away(midnight, midnight + DAY)

    days = plan_of(rep("ada", team="us", per_day_limit=1, **off), team="us")

    assert [it.leads for it in days] == [0] + [1] * (DAYS_AHEAD - 1)


def test_a_plan_is_new_where_numbers_changed_or_a_date_has_come_near() -> None:
    roster = Roster.of(1, [rep("ada", per_day_limit=10)])

    plans = {it.team: it for it in new_plans({}, roster, POLICY, FIRST)}

    assert {it.team: it.number for it in plans.values()} == {"emea": 1, "sales": 1, "us": 1}
    assert new_plans(plans, roster, POLICY, FIRST) == []
    hired = Roster.of(2, [rep("ada", per_day_limit=10), rep("bob", per_day_limit=1)])
    [changed] = new_plans(plans, hired, POLICY, FIRST)
    assert (changed.team, changed.number, changed.days[0].leads) == ("sales", 2, 11)
    on_tuesday = new_plans(plans, roster, POLICY, FIRST + DAY)
    assert [(it.team, it.number) for it in on_tuesday] == [("emea", 2), ("sales", 2), ("us", 2)]
    assert {it.days[0].on for it in on_tuesday} == {FIRST + DAY}


def test_a_team_that_has_left_the_agreement_has_one_last_plan_of_nothing() -> None:
    day = DayCapacity(FIRST, reps=1, leads=10)
    before = {"former": CapacityPlan("former", 4, (day,))}

    [last] = [
        it for it in new_plans(before, Roster.of(1, []), POLICY, FIRST) if it.team == "former"
    ]

    assert (last.number, len(last.days), sum(it.reps for it in last.days)) == (5, DAYS_AHEAD, 0)
    after = {"former": last}
    assert all(it.team != "former" for it in new_plans(after, Roster.of(1, []), POLICY, FIRST))
    assert all(
        it.team != "former" for it in new_plans(before, Roster.of(1, []), POLICY, FIRST + DAY)
    )


def is_open(calendar: str, hour: datetime) -> bool:
    """Whether the calendar is open in the hour, by its rules in plain words."""
    local = hour.astimezone(ZoneInfo("UTC" if calendar == "office" else "Europe/Berlin"))
    if calendar == "always":
        return True
    if calendar == "nights":
        return (local.weekday(), local.hour) in {
            (0, 22), (0, 23), *((1, hour_of_night) for hour_of_night in range(6)),
        }  # fmt: skip
    if local.date() == date(2026, 12, 26):
        return local.hour in {10, 11}
    return local.weekday() < 5 and 9 <= local.hour < 17 and local.date() != date(2026, 12, 25)


ZONES = {"office": "UTC", "nights": "Europe/Berlin", "always": "America/New_York"}


def works_on(person: Rep, day: date) -> bool:
    """Whether any hour of the date is open for the rep and not off."""
    calendar = person.hours or HOURS_OF_TEAM[person.team]
    zone = ZoneInfo(ZONES[calendar])
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    hours = [midnight + number * HOUR for number in range(25)]
    hours = [it for it in hours if it.astimezone(zone).date() == day]
    return person.active and any(
        is_open(calendar, it)
        and not any(absence.since <= it < absence.until for absence in person.time_off)
        for it in hours
    )


@st.composite
def absences(draw: st.DrawFn) -> tuple[Absence, ...]:
    """Time off in whole hours, which may overlap and has no order."""
    spans = draw(
        st.lists(st.tuples(st.integers(-30, 24 * DAYS_AHEAD), st.integers(1, 200)), max_size=4)
    )
    return tuple(
        Absence(at(FIRST) + since * HOUR, at(FIRST) + (since + length) * HOUR)
        for since, length in spans
    )


@st.composite
def people(draw: st.DrawFn) -> Sequence[Rep]:
    return [
        rep(
            f"rep{number}",
            team=draw(st.sampled_from([*HOURS_OF_TEAM])),
            hours=draw(st.sampled_from([None, *ZONES])),
            per_day_limit=draw(st.none() | st.integers(1, 50)),
            active=draw(st.booleans()) or draw(st.booleans()),
            time_off=draw(absences()),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@settings(max_examples=25, deadline=None)
@given(people())
def test_plans_are_what_a_count_of_hours_gives(reps: Sequence[Rep]) -> None:
    planned = capacity_by_team(Roster.of(1, reps), POLICY, FIRST)

    for team, days in planned.items():
        assert len(days) == DAYS_AHEAD
        for day in days:
            working = [it for it in reps if it.team == team and works_on(it, day.on)]
            limits = [it.per_day_limit for it in working]
            expected = (len(working), sum(it or 0 for it in limits), limits.count(None))
            assert (day.reps, day.leads, day.unlimited) == expected, (team, day)
