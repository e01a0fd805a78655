"""Who may, and every reason why not."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.routing.domain.assignment.eligibility import (
    ExclusionReason,
    MatchedLead,
    exclusions,
    exclusions_of_rep,
)
from services.routing.domain.roster import OPEN_END, Absence, RepLoad
from tests.builders import NOON
from tests.services.routing.builders import at, build_policy, matched_lead, rep_load, rule

AWAY = {"time_off": (Absence(at(18, 8), at(19, 8)),)}


@pytest.mark.parametrize(
    ("lead", "rep_load", "now", "expected"),
    [
        (matched_lead(), rep_load("grace"), NOON, []),
        (
            matched_lead(),
            rep_load("grace", rep_fields={"active": False}),
            NOON,
            [(ExclusionReason.INACTIVE, None)],
        ),
        (
            matched_lead(),
            rep_load("grace", rep_fields={"team": "x"}),
            NOON,
            [(ExclusionReason.OTHER_TEAM, None)],
        ),
        (
            matched_lead(earlier_reps=frozenset({"grace"})),
            rep_load("grace"),
            NOON,
            [(ExclusionReason.HAD_IT, None)],
        ),
        (
            matched_lead(refused_by=frozenset({"grace"})),
            rep_load("grace"),
            NOON,
            [(ExclusionReason.REFUSED, None)],
        ),
        (
            matched_lead(rule=rule(match="lead.country in rep.territories")),
            rep_load("grace", rep_fields={"territories": ("US",)}),
            NOON,
            [(ExclusionReason.NO_MATCH, None)],
        ),
        (
            matched_lead(rule=rule(match="lead.country in rep.territories")),
            rep_load("grace", rep_fields={"territories": ("US", "DE")}),
            NOON,
            [],
        ),
        (matched_lead(), rep_load("grace", rep_fields={"open_limit": 2}, open=1), NOON, []),
        (
            matched_lead(),
            rep_load("grace", rep_fields={"open_limit": 2}, open=2),
            NOON,
            [(ExclusionReason.FULL, None)],
        ),
        (
            matched_lead(),
            rep_load("grace", rep_fields={"per_day_limit": 3}, today=3),
            NOON,
            [(ExclusionReason.FULL_TODAY, at(19, 0))],
        ),
        (matched_lead(), rep_load("grace", rep_fields={"per_day_limit": 3}, today=2), NOON, []),
        (
            matched_lead(),
            rep_load("grace", rep_fields=AWAY),
            NOON,
            [(ExclusionReason.TIME_OFF, at(19, 8))],
        ),
        (
            matched_lead(),
            rep_load("grace", rep_fields={"time_off": (Absence(at(18), OPEN_END),)}),
            NOON,
            [(ExclusionReason.TIME_OFF, None)],
        ),
        (matched_lead(), rep_load("grace", rep_fields=AWAY), at(19, 8), []),
        (matched_lead(), rep_load("grace", rep_fields=AWAY), at(18, 7), []),
        (matched_lead(rule=rule(hours="open")), rep_load("grace"), NOON, []),
        (matched_lead(), rep_load("grace"), at(18, 17), []),
        (
            matched_lead(rule=rule(hours="open")),
            rep_load("grace"),
            at(18, 17),
            [(ExclusionReason.CLOSED, at(19, 9))],
        ),
        (
            matched_lead(rule=rule(hours="open"), earlier_reps=frozenset({"grace"})),
            rep_load("grace", rep_fields={"active": False, **AWAY}),
            at(18, 20),
            [
                (ExclusionReason.INACTIVE, None),
                (ExclusionReason.TIME_OFF, at(19, 8)),
                (ExclusionReason.HAD_IT, None),
                (ExclusionReason.CLOSED, at(19, 9)),
            ],
        ),
    ],
    ids=[
        "nothing",
        "inactive",
        "other team",
        "had it",
        "refused",
        "no match",
        "match",
        "room for one",
        "full",
        "full today",
        "one more today",
        "time off",
        "time off without an end",
        "back at work",
        "not yet away",
        "open",
        "any hours",
        "closed",
        "every reason at once",
    ],
)
def test_every_exclusion_has_its_reason_and_its_end(
    lead: MatchedLead,
    rep_load: RepLoad,
    now: datetime,
    expected: list[tuple[ExclusionReason, datetime | None]],
) -> None:
    excluded = exclusions(lead, rep_load, policy=build_policy(), now=now)

    assert [(it.reason, it.until) for it in excluded] == expected
    assert all(it.detail for it in excluded)


def test_a_reps_own_hours_count_before_the_teams() -> None:
    sections = {
        "sla": {
            "calendars": [
                {"id": "office", "zone": "UTC", "hours": {"wed": ["09:00-17:00"]}},
                {"id": "late", "zone": "UTC", "hours": {"wed": ["14:00-22:00"]}},
            ]
        }
    }
    late = rep_load("grace", rep_fields={"hours": "late"})
    lost = rep_load("linus", rep_fields={"hours": "gone"})
    opens = matched_lead(rule=rule(hours="open"))

    [closed] = exclusions(opens, late, policy=build_policy(**sections), now=NOON)

    assert closed.until == at(18, 14)
    assert exclusions(opens, lost, policy=build_policy(**sections), now=NOON) == ()
    assert build_policy(**sections).calendar_of(late.rep) == "late"
    assert build_policy(**sections).calendar_of(lost.rep) is None


def test_exclusions_of_a_rep_are_the_same_for_every_lead() -> None:
    hindered = rep_load("grace", rep_fields={"open_limit": 1}, open=1)

    assert [
        it.reason for it in exclusions_of_rep(hindered, policy=build_policy(), now=at(18, 22))
    ] == [ExclusionReason.FULL]
