"""How long somebody could have taken a lead that waits."""

from __future__ import annotations

import pytest

from services.routing.domain.waiting import WaitingLeads, assignable_time
from tests.builders import DEFAULT_SECTIONS, agreement
from tests.services.routing.builders import at

DAYS = ("mon", "tue", "wed", "thu", "fri")
LATE = {"id": "late", "zone": "UTC", "hours": {it: ["09:00-21:00"] for it in DAYS}}
SLA = DEFAULT_SECTIONS["sla"]
RULES = [
    {"id": "open", "when": "lead.customer", "team": "sales", "hours": "open"},
    {"id": "any", "when": True, "team": "sales"},
]
AGREED = agreement(
    routing={**DEFAULT_SECTIONS["routing"], "rules": RULES},
    sla={**SLA, "calendars": [*SLA["calendars"], LATE]},
)


@pytest.mark.parametrize(
    ("team", "rule", "hours", "expected"),
    [
        ("sales", "open", {None}, 1),
        ("sales", "open", set(), 1),
        ("sales", "open", {None, "late"}, 5),
        ("sales", "open", {"gone"}, 1),
        ("sales", "any", {None}, 24),
        ("sales", "gone", {None}, 24),
        ("gone", "open", {None}, 24),
    ],
    ids=["team", "nobody", "late", "unknown", "any", "no rule", "no team"],
)
def test_only_hours_in_which_its_rule_assigns_it_count(
    team: str, rule: str, hours: set[str | None], expected: int
) -> None:
    friday, saturday = at(20, 16), at(21, 16)
    waited = assignable_time(WaitingLeads(team, rule, 1, friday), AGREED, hours=hours, now=saturday)
    assert waited.total_seconds() == expected * 3600
