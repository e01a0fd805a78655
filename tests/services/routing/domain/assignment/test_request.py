"""The rep whom ops name for a handoff."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.assignment.allocation import BatchAllocator
from services.routing.domain.assignment.eligibility import RequestedRep
from services.routing.domain.assignment.request import NotEligible, UnknownRep
from services.routing.domain.roster import Absence, RepLoad
from tests.builders import NOON
from tests.services.routing.builders import at, build_policy, matched_lead, rep_load, rule

POLICY = build_policy()
LIMITS = {"open_limit": 1, "per_day_limit": 1}
FULL = rep_load("named", rep_fields=LIMITS, open=1, today=1)


def choose(load: RepLoad, *, force: bool = False, **lead: Any) -> tuple[str | None, str]:
    allocator = BatchAllocator([rep_load("idle"), load], policy=POLICY, now=at(18, 20))
    request = RequestedRep("named", force=force)
    choice = allocator.assign(matched_lead(request=request, **lead))
    return choice.rep, choice.strategy


def test_a_named_rep_gets_the_lead_whom_the_strategy_would_not_prefer() -> None:
    assert choose(rep_load("named", assigned=9)) == ("named", "named")
    assert choose(rep_load("named"), force=True) == ("named", "named")


def test_capacity_and_hours_are_overridden_by_force_alone() -> None:
    closed = rule(hours="open")

    assert choose(FULL, force=True, rule=closed) == ("named", "forced")
    with pytest.raises(NotEligible, match=r"holds 1 of 1; got 1 of 1 today.*`force`"):
        choose(FULL)
    with pytest.raises(NotEligible, match="is outside hours until"):
        choose(rep_load("named"), rule=closed)


@pytest.mark.parametrize(
    ("load", "lead", "message"),
    [
        (rep_load("named", rep_fields={**LIMITS, "active": False}, open=1), {}, "is not active"),
        (rep_load("named", rep_fields={"team": "other"}), {}, "is in team other"),
        (rep_load("named", rep_fields={"time_off": (Absence(NOON, at(19)),)}), {}, "time off"),
        (rep_load("named"), {"earlier_reps": frozenset({"named"})}, "had this handoff already"),
        (rep_load("named"), {"refused_by": frozenset({"named"})}, "refused this lead"),
        (rep_load("named"), {"rule": rule(match="lead.country in rep.territories")}, "not match"),
    ],
    ids=["inactive", "other team", "time off", "had it", "refused", "no match"],
)
def test_nothing_else_is_overridden(load: RepLoad, lead: dict[str, Any], message: str) -> None:
    for force in (False, True):
        with pytest.raises(NotEligible, match=message) as refusal:
            choose(load, force=force, **lead)
        assert "`force`" not in refusal.value.message


def test_a_rep_whom_no_roster_has_is_unknown() -> None:
    with pytest.raises(UnknownRep, match="no rep 'named'"):
        choose(rep_load("other"))
