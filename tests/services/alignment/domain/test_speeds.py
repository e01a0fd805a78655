"""Times in business hours, and the calendars of teams that a promise is about."""

from __future__ import annotations

from typing import Any

import pytest

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.speeds import Lap, business_times
from shared.agreement.model import Promise
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, days, minutes

CALENDAR = DEFAULT_SECTIONS["sla"]["calendars"][0]
POLICY = AlignmentPolicy(
    1,
    agreement(
        sla={"calendars": [CALENDAR, {**CALENDAR, "id": "tokyo", "zone": "Asia/Tokyo"}]},
        routing={
            **DEFAULT_SECTIONS["routing"],
            "teams": [
                {"id": "sales", "calendar": "office"},
                {"id": "partners", "calendar": "office"},
                {"id": "japan", "calendar": "tokyo"},
            ],
        },
    ),
)


def test_business_hours_are_those_of_the_team_and_unknown_teams_have_none() -> None:
    laps = [
        Lap("sales", NOON, NOON + days(1)),
        Lap("nobody", NOON, NOON + days(1)),
        Lap(None, NOON, NOON + days(1)),
        Lap("japan", NOON, NOON + minutes(30)),
    ]

    assert business_times(laps, POLICY.calendars) == [minutes(8 * 60), minutes(0)]


@pytest.mark.parametrize(
    ("where", "groups", "zones"),
    [
        (None, [], ["UTC", "Asia/Tokyo"]),
        ('tier == "hot"', [("hot",)], ["UTC", "Asia/Tokyo"]),
        ('team == "japan"', [], ["Asia/Tokyo"]),
        ('team != "japan"', [], ["UTC"]),
        ('team == "japan" && tier == "hot"', [("japan", "hot")], ["Asia/Tokyo"]),
        ('team == "japan" && tier == "hot"', [("japan", "cold")], ["UTC", "Asia/Tokyo"]),
    ],
)
def test_a_promise_is_about_the_teams_for_which_its_condition_may_hold(
    where: str | None, groups: list[tuple[str, ...]], zones: list[str]
) -> None:
    fields: dict[str, Any] = {"id": "it", "measure": "qualified", "per": "month", "at_least": 1}
    promise = Promise.model_validate({**fields, "where": where})
    names = tuple(it for it in ("team", "tier") if where is not None and it in where)

    calendars = POLICY.calendars_of(promise, names, groups)

    assert [it.calendar.zone for it in calendars] == zones


def test_promises_are_listed_with_the_side_that_gave_them() -> None:
    promise = {"id": "leads", "measure": "qualified", "per": "month", "at_least": 1}
    sides = {"marketing": [promise], "sales": [{**promise, "id": "room", "measure": "capacity"}]}

    policy = AlignmentPolicy(1, agreement(promises=sides))

    assert [(side, it.id) for side, it in policy.promises] == [
        ("marketing", "leads"),
        ("sales", "room"),
    ]
