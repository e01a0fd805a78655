"""Who may, and every reason why not."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.routing.domain.desk import Absence, Standing
from services.routing.domain.eligibility import Case, Why, exclusions, hindrances
from tests.builders import NOON
from tests.services.routing.desks import at, case, desk, rule, standing

AWAY = {"time_off": (Absence(at(18, 8), at(19, 8)),)}


@pytest.mark.parametrize(
    ("case", "standing", "now", "expected"),
    [
        (case(), standing("grace"), NOON, []),
        (case(), standing("grace", rep_fields={"active": False}), NOON, [(Why.INACTIVE, None)]),
        (case(), standing("grace", rep_fields={"team": "x"}), NOON, [(Why.OTHER_TEAM, None)]),
        (case(had_by=frozenset({"grace"})), standing("grace"), NOON, [(Why.HAD_IT, None)]),
        (
            case(rule=rule(match="lead.country in rep.territories")),
            standing("grace", rep_fields={"territories": ("US",)}),
            NOON,
            [(Why.NO_MATCH, None)],
        ),
        (
            case(rule=rule(match="lead.country in rep.territories")),
            standing("grace", rep_fields={"territories": ("US", "DE")}),
            NOON,
            [],
        ),
        (case(), standing("grace", rep_fields={"open_limit": 2}, open=1), NOON, []),
        (
            case(),
            standing("grace", rep_fields={"open_limit": 2}, open=2),
            NOON,
            [(Why.FULL, None)],
        ),
        (
            case(),
            standing("grace", rep_fields={"per_day_limit": 3}, today=3),
            NOON,
            [(Why.FULL_TODAY, at(19, 0))],
        ),
        (case(), standing("grace", rep_fields={"per_day_limit": 3}, today=2), NOON, []),
        (case(), standing("grace", rep_fields=AWAY), NOON, [(Why.TIME_OFF, at(19, 8))]),
        (case(), standing("grace", rep_fields=AWAY), at(19, 8), []),
        (case(), standing("grace", rep_fields=AWAY), at(18, 7), []),
        (case(rule=rule(hours="open")), standing("grace"), NOON, []),
        (case(), standing("grace"), at(18, 17), []),
        (
            case(rule=rule(hours="open")),
            standing("grace"),
            at(18, 17),
            [(Why.CLOSED, at(19, 9))],
        ),
        (
            case(rule=rule(hours="open"), had_by=frozenset({"grace"})),
            standing("grace", rep_fields={"active": False, **AWAY}),
            at(18, 20),
            [
                (Why.INACTIVE, None),
                (Why.TIME_OFF, at(19, 8)),
                (Why.HAD_IT, None),
                (Why.CLOSED, at(19, 9)),
            ],
        ),
    ],
    ids=[
        "nothing",
        "inactive",
        "other team",
        "had it",
        "no match",
        "match",
        "room for one",
        "full",
        "full today",
        "one more today",
        "time off",
        "back at work",
        "not yet away",
        "open",
        "any hours",
        "closed",
        "every reason at once",
    ],
)
def test_every_exclusion_has_its_reason_and_its_end(
    case: Case, standing: Standing, now: datetime, expected: list[tuple[Why, datetime | None]]
) -> None:
    found = exclusions(case, standing, desk=desk(), now=now)

    assert [(it.why, it.until) for it in found] == expected
    assert all(it.said for it in found)


def test_a_reps_own_hours_count_before_the_teams() -> None:
    sections = {
        "sla": {
            "calendars": [
                {"id": "office", "zone": "UTC", "hours": {"wed": ["09:00-17:00"]}},
                {"id": "late", "zone": "UTC", "hours": {"wed": ["14:00-22:00"]}},
            ]
        }
    }
    late = standing("grace", rep_fields={"hours": "late"})
    lost = standing("linus", rep_fields={"hours": "gone"})
    opens = case(rule=rule(hours="open"))

    [closed] = exclusions(opens, late, desk=desk(**sections), now=NOON)

    assert closed.until == at(18, 14)
    assert exclusions(opens, lost, desk=desk(**sections), now=NOON) == ()
    assert desk(**sections).calendar_of(late.rep) == "late"
    assert desk(**sections).calendar_of(lost.rep) is None


def test_what_hinders_a_rep_from_any_lead_has_nothing_to_do_with_this_one() -> None:
    hindered = standing("grace", rep_fields={"open_limit": 1}, open=1)

    assert [it.why for it in hindrances(hindered, desk=desk(), now=at(18, 22))] == [Why.FULL]
