"""The owner of an account comes first, then the rep who had the lead before, then the rule's ranking."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.assignment.eligibility import ExclusionReason
from services.routing.domain.assignment.selection import Selection, select_rep
from services.routing.domain.roster import Absence
from tests.builders import NOON, days
from tests.services.routing.builders import build_policy, matched_lead, rep_load, rule

POLICY = build_policy()
AWAY = (Absence(NOON - days(1), NOON + days(1)),)
WAIT = {"strategy": "owner", "else": "wait"}
LOADS = [
    rep_load("first"),
    rep_load("owner", assigned=7),
    rep_load("previous", assigned=9),
    rep_load("full", rep_fields={"open_limit": 1}, open=1),
    rep_load("away", rep_fields={"time_off": AWAY}),
    rep_load("left", rep_fields={"active": False}),
    rep_load("elsewhere", rep_fields={"team": "enterprise"}),
]


def selected(rule_fields: dict[str, Any], **fields: Any) -> Selection:
    lead = matched_lead(rule=rule(**rule_fields), **fields)
    return select_rep(lead, LOADS, policy=POLICY, now=NOON)


@pytest.mark.parametrize(
    ("rule_fields", "fields", "expected"),
    [
        ({}, {"owner": "owner", "previous_rep": "previous"}, ("owner", "owner")),
        ({}, {"owner": "full", "previous_rep": "previous"}, ("previous", "sticky")),
        ({}, {"owner": "elsewhere"}, ("first", "fair_share")),
        ({"sticky": False}, {"owner": "owner"}, ("first", "fair_share")),
        ({"sticky": False, "strategy": "owner"}, {"owner": "owner"}, ("owner", "owner")),
        ({"strategy": "owner"}, {"owner": "full"}, ("first", "fair_share")),
        ({"strategy": "owner"}, {}, ("first", "fair_share")),
        ({"strategy": "owner"}, {"owner": "unknown"}, ("first", "fair_share")),
        (WAIT, {"owner": "owner"}, ("owner", "owner")),
        (WAIT, {"owner": "full", "previous_rep": "previous"}, (None, "owner")),
        (WAIT, {"owner": "away"}, (None, "owner")),
        (WAIT, {"owner": "left", "previous_rep": "previous"}, ("previous", "sticky")),
        (WAIT, {"owner": "away", "refused_by": frozenset({"away"})}, ("first", "fair_share")),
        (WAIT, {"owner": "elsewhere"}, ("first", "fair_share")),
        (WAIT, {}, ("first", "fair_share")),
        ({"team": "enterprise"}, {"owner": "owner"}, ("owner", "owner")),
        ({"team": "enterprise"}, {"owner": "full"}, (None, "fair_share")),
        ({"team": "enterprise", **WAIT}, {"owner": "full"}, (None, "owner")),
        ({"team": "enterprise"}, {"owner": "full", "previous_rep": "first"}, ("first", "sticky")),
    ],
    ids=[
        "the owner before the previous rep",
        "the previous rep where the owner is full",
        "no owner of another team",
        "no owner where the rule is not sticky",
        "the owner by strategy",
        "the team where the owner is full",
        "the team without an owner",
        "the team with an owner whom nobody knows",
        "the owner, and nobody has to wait",
        "waits for a full owner, though a previous rep is free",
        "waits for an owner on time off",
        "does not wait for somebody who left",
        "does not wait for somebody who refused it",
        "does not wait for somebody in another team",
        "does not wait without an owner",
        "in the owner's team, the owner",
        "in the owner's team, nobody else",
        "in the owner's team, waits",
        "in another team, the previous rep",
    ],
)
def test_who_comes_first(
    rule_fields: dict[str, Any], fields: dict[str, Any], expected: tuple[str | None, str]
) -> None:
    selection = selected(rule_fields, **fields)
    assert (selection.rep, selection.strategy) == expected


@pytest.mark.parametrize("rule_fields", [WAIT, {"team": "enterprise"}])
def test_others_are_excluded_because_the_lead_is_reserved(rule_fields: dict[str, Any]) -> None:
    selection = selected(rule_fields, owner="full")

    excluded = {it.rep: [why.reason for why in it.excluded] for it in selection.candidates}
    assert excluded["first"] == [ExclusionReason.RESERVED]
    assert excluded["left"] == [ExclusionReason.INACTIVE, ExclusionReason.RESERVED]
    assert excluded["full"] == [ExclusionReason.FULL]
    [reserved] = next(it for it in selection.candidates if it.rep == "first").excluded
    assert reserved.detail == "only full may have this lead here"


def test_the_owner_of_another_team_is_shown_with_the_reason() -> None:
    selection = selected({}, owner="elsewhere")

    [owner] = [it for it in selection.candidates if it.rep == "elsewhere"]
    assert [it.detail for it in owner.excluded] == ["is in team enterprise"]
