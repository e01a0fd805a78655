"""What would have given another pick where an owner or a previous rep comes first."""

from __future__ import annotations

from services.routing.domain.assignment.eligibility import ExclusionReason
from services.routing.domain.assignment.nearest_change import (
    Gap,
    Margin,
    Measure,
    NearestChange,
    margin_of,
    nearest_changes,
)
from tests.services.routing.builders import matched_lead, rep_load, rule
from tests.services.routing.domain.assignment.test_nearest_change import picked_with, record_of


def test_a_pick_as_owner_is_lost_for_want_of_the_account() -> None:
    loads = [rep_load("a", assigned=9), rep_load("b"), rep_load("c", assigned=1)]
    record = record_of(matched_lead(owner="a", previous_rep="b"), loads)

    changes = nearest_changes(record)

    assert record.strategy == "owner"
    assert changes == dict.fromkeys("bc", NearestChange((), Gap("a", Measure.OWNER, 0.0, 0)))
    assert picked_with(record, "c", changes["c"]) == "c"
    assert margin_of(record) == Margin("b", Measure.OWNER, 0.0)


def test_an_owner_who_was_excluded_would_have_come_before_everybody() -> None:
    full = rep_load("a", open=1, assigned=9, rep_fields={"open_limit": 1})
    loads = [full, rep_load("b"), rep_load("c", assigned=1)]
    record = record_of(matched_lead(owner="a", previous_rep="c"), loads)

    changes = nearest_changes(record)

    assert (record.picked, record.strategy) == ("c", "sticky")
    assert changes["a"] == NearestChange((ExclusionReason.FULL,), None)
    assert picked_with(record, "a", changes["a"]) == "a"
    assert changes["b"] == NearestChange((), Gap("c", Measure.PREVIOUS_REP, 0.0, 0))


def test_while_a_lead_waits_for_its_owner_others_lack_only_what_reserves_it() -> None:
    full = rep_load("a", open=1, rep_fields={"open_limit": 1})
    waits = rule(**{"strategy": "owner", "else": "wait"})
    record = record_of(matched_lead(owner="a", rule=waits), [full, rep_load("b")])

    assert (record.picked, record.strategy) == (None, "owner")
    assert nearest_changes(record) == {
        "a": NearestChange((ExclusionReason.FULL,), None),
        "b": NearestChange((ExclusionReason.RESERVED,), None),
    }


def test_a_sticky_pick_is_lost_for_want_of_a_history_alone() -> None:
    loads = [rep_load("a", assigned=9), rep_load("b"), rep_load("c", assigned=1)]
    record = record_of(matched_lead(previous_rep="a"), loads)

    assert nearest_changes(record)["b"] == NearestChange((), Gap("a", Measure.PREVIOUS_REP, 0.0, 0))
    assert margin_of(record) == Margin("b", Measure.PREVIOUS_REP, 0.0)
