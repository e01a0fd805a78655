"""Business hours of teams, and the calendars of teams that a promise is about."""

from __future__ import annotations

from typing import Any

import pytest

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.speeds import Opening, Span, joined, openings
from shared.agreement.model import Promise
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, days

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


def test_openings_are_those_of_the_team_by_the_version_and_unknown_teams_have_none() -> None:
    until = NOON + days(2)
    spans = [
        Span(1, "sales", NOON, until),
        Span(1, "nobody", NOON, until),
        Span(2, "sales", NOON, until),
        Span(1, "japan", NOON, NOON + days(1)),
    ]

    sales, japan = openings(spans, {1: POLICY.calendars})

    hour = 3600.0
    assert sales == Opening(
        1,
        "sales",
        NOON,
        starts_s=(0, 21 * hour, 45 * hour),
        closed_s=(0, 16 * hour, 32 * hour),
        open_s=(5 * hour, 13 * hour, 16 * hour),
    )
    assert (japan.team, japan.starts_s, japan.open_s) == ("japan", (12 * hour,), (8 * hour,))


def test_spans_of_a_team_in_a_version_are_joined() -> None:
    first, second = Span(1, "sales", NOON, NOON), Span(1, "sales", NOON - days(1), NOON + days(2))
    others = [Span(2, "sales", NOON, NOON), Span(1, "japan", NOON, NOON)]

    assert joined([first, *others, second]) == [second, *others]


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
