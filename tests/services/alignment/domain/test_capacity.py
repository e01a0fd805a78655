"""What the roster can take: the latest plan of each date, and when the sum is known."""

from __future__ import annotations

from datetime import date

import pytest

from services.alignment.domain.capacity import (
    CapacityDay,
    KnownDates,
    TeamCapacity,
    capacity,
    latest_days,
)
from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.measures import Figure
from shared.contracts.payloads import CapacityDay as PlannedDay
from shared.contracts.payloads import CapacityPlanned
from tests.builders import NOON

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
ALL = KnownDates(30, FIRST, LAST)
INBOUND, EMEA = TeamCapacity("inbound", 30, 500, 0), TeamCapacity("emea", 30, 40, 0)


def plan(number: int, *leads: int, team: str = "inbound") -> CapacityPlanned:
    days = [PlannedDay(on=date(2026, 11, it), reps=1, leads=count) for it, count in enumerate(leads, 1)]  # fmt: skip
    return CapacityPlanned(
        team=team, number=number, planned_at=NOON, agreement_version=1, days=tuple(days)
    )


@pytest.mark.parametrize("plans", [(plan(1, 5, 6), plan(2, 7)), (plan(2, 7), plan(1, 5, 6))])
def test_of_each_date_the_latest_plan_counts(plans: tuple[CapacityPlanned, ...]) -> None:
    assert latest_days(plans) == [
        CapacityDay(date(2026, 11, 1), "inbound", 2, 1, 7, 0),
        CapacityDay(date(2026, 11, 2), "inbound", 1, 1, 6, 0),
    ]


def test_days_are_in_the_order_of_their_keys_and_names_have_an_end() -> None:
    days = latest_days([plan(1, 5, 6, team="x" * 500), plan(1, 5, team="a")])

    assert [(it.on.day, it.team) for it in days] == [
        (1, "a"),
        (1, "x" * MAX_NAME),
        (2, "x" * MAX_NAME),
    ]


def test_it_is_the_sum_over_the_teams() -> None:
    assert capacity(FIRST, LAST, ALL, [INBOUND, EMEA]) == Figure(540, "leads", 60)
    assert capacity(FIRST, LAST, ALL, []) == Figure(0, "leads", 0)


@pytest.mark.parametrize(
    ("known", "teams", "words", "at_least"),
    [
        (KnownDates(0), [], "once reps are imported", None),
        (KnownDates(3, date(2026, 11, 28), LAST), [EMEA], "3 of 30 dates are announced, 2026-11-28 to 2026-11-30", 40),
        (KnownDates(3, date(2026, 11, 28), LAST), [EMEA], "can take 40", 40),
        (ALL, [INBOUND, EMEA._replace(unlimited=2)], "2 or more of team emea", 540),
        (ALL, [INBOUND, EMEA._replace(unlimited=2)], "the others can take 540", 540),
        (KnownDates(3, FIRST, LAST), [EMEA._replace(unlimited=2)], "`capacity.per_day`", 40),
    ],
)  # fmt: skip
def test_where_it_is_not_known_it_says_why_and_what_it_is_at_the_least(
    known: KnownDates, teams: list[TeamCapacity], words: str, at_least: int | None
) -> None:
    figure = capacity(FIRST, LAST, known, teams)

    assert (figure.value, figure.is_unknown, figure.at_least) == (None, True, at_least)
    assert words in str(figure.why)
