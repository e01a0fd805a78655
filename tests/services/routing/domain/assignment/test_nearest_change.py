"""What would have given another pick: with the named change, the real selection picks that rep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.routing.domain.assignment.eligibility import (
    ExclusionReason,
    MatchedLead,
    RequestedRep,
)
from services.routing.domain.assignment.nearest_change import (
    DecisionRecord,
    Gap,
    Margin,
    Measure,
    NearestChange,
    margin_of,
    nearest_changes,
)
from services.routing.domain.assignment.selection import select_rep
from services.routing.domain.roster import Absence, RepLoad
from tests.builders import DEFAULT_SECTIONS, NOON, days
from tests.services.routing.builders import build_policy, matched_lead, rep_load, rule

POLICY = build_policy(
    sla={
        **DEFAULT_SECTIONS["sla"],
        "calendars": [
            {"id": "office", "zone": "UTC", "hours": {"wed": ["09:00-11:00"]}},
            {"id": "always", "zone": "UTC", "hours": {"wed": ["00:00-24:00"]}},
        ],
    }
)
MATCH = "lead.country in rep.territories"
AWAY = (Absence(NOON - days(1), NOON + days(1)),)
FAIR, LOADED, RANKED = "fair_share", "least_loaded", "ranked"


def record_of(
    lead: MatchedLead, loads: list[RepLoad], *, picked: str | None = None, strategy: str = ""
) -> DecisionRecord:
    """The record of the decision that the real selection makes, or of one that ops made."""
    selection = select_rep(lead, loads, policy=POLICY, now=NOON)
    return DecisionRecord(
        lead,
        loads,
        selection,
        picked if strategy else selection.rep,
        strategy or selection.strategy,
        POLICY.team,
    )


def with_exclusions_lifted(lead: MatchedLead, load: RepLoad, reasons: set[str]) -> RepLoad:
    """The load without what excluded it, for everything that lies in the rep and not in the lead."""
    rep = load.rep
    changes: dict[str, Any] = {
        ExclusionReason.INACTIVE: {"active": True},
        ExclusionReason.OTHER_TEAM: {"team": "sales"},
        ExclusionReason.TIME_OFF: {"time_off": ()},
        ExclusionReason.NO_MATCH: {"territories": (lead.facts["lead"]["country"],)},
        ExclusionReason.CLOSED: {"hours": "always"},
    }
    for reason in reasons & changes.keys():
        rep = replace(rep, **changes[reason])
    load = load._replace(rep=rep)
    if ExclusionReason.FULL in reasons and rep.open_limit is not None:
        load = load._replace(open=rep.open_limit - 1)
    return load._replace(today=0) if ExclusionReason.FULL_TODAY in reasons else load


def with_gap_closed(load: RepLoad, gap: Gap, fewer: int) -> RepLoad:
    """The load with so many fewer of what the strategy compares."""
    if gap.measure is Measure.RANK:
        return load._replace(rep=replace(load.rep, position=load.rep.position - fewer))
    name = "assigned" if gap.measure is Measure.SHORTFALL else "open"
    return load._replace(**{name: getattr(load, name) - fewer})


def picked_with(
    record: DecisionRecord, rep: str, change: NearestChange, *, short: int = 0
) -> str | None:
    """Whom the real selection picks after the change, or after one that is short of it by so much."""
    reasons = {str(it) for it in change.exclusions}
    lead = record.lead._replace(
        earlier_reps=record.lead.earlier_reps - ({rep} if "had_it" in reasons else set()),
        refused_by=record.lead.refused_by - ({rep} if "refused" in reasons else set()),
    )
    load_of = {it.rep.id: it for it in record.loads}
    load = with_exclusions_lifted(lead, load_of[rep], reasons)
    if change.gap is not None and change.gap.measure is Measure.PREVIOUS_REP:
        lead = lead._replace(previous_rep=rep)
    elif change.gap is not None and change.gap.measure is Measure.OWNER:
        lead = lead._replace(owner=rep)
    elif change.gap is not None:
        load = with_gap_closed(load, change.gap, change.gap.fewer - short)
    loads = list({**load_of, rep: load}.values())
    return select_rep(lead, loads, policy=POLICY, now=NOON).rep


rep_loads = st.lists(
    st.builds(
        lambda counts, limits, times, **rep_fields: (counts, limits, times, rep_fields),
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.sampled_from([None, 2, 4, 6]), st.sampled_from([None, 2, 4])),
        st.tuples(st.sampled_from([None, NOON - days(2), NOON - days(1)]), st.floats(0, 3)),
        weight=st.sampled_from([0.5, 1.0, 1.0, 1.0, 2.0]),
        active=st.sampled_from([True, True, True, False]),
        team=st.sampled_from(["sales", "sales", "sales", "elsewhere"]),
        territories=st.sampled_from([("DE",), ("DE", "FR"), ("FR",)]),
        time_off=st.sampled_from([(), (), (), AWAY]),
        hours=st.sampled_from([None, "always", "always"]),
        position=st.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)
leads = st.builds(
    lambda strategy, match, hours, sticky, previous, earlier, refused, owner: matched_lead(
        rule=rule(strategy=strategy, match=match, hours=hours, sticky=sticky),
        previous_rep=None if previous is None else f"rep_{previous}",
        earlier_reps=frozenset(f"rep_{it}" for it in earlier),
        refused_by=frozenset(f"rep_{it}" for it in refused),
        owner=None if owner is None else f"rep_{owner}",
    ),
    st.sampled_from([FAIR, FAIR, LOADED, RANKED, "owner"]),
    st.sampled_from([None, MATCH]),
    st.sampled_from(["any", "open"]),
    st.booleans(),
    st.sampled_from([None, None, 0, 1, 2]),
    st.sets(st.integers(0, 5), max_size=1),
    st.sets(st.integers(0, 5), max_size=1),
    st.sampled_from([None, None, None, 0, 1]),
)


def built(rows: list[Any]) -> list[RepLoad]:
    return [
        rep_load(
            f"rep_{number}",
            rep_fields={"open_limit": open_limit, "per_day_limit": per_day, **rep_fields},
            open=open_,
            today=today,
            assigned=assigned,
            credit=round(credit, 2),
            last_assigned_at=idle_since,
        )
        for number, (
            (open_, today, assigned), (open_limit, per_day), (idle_since, credit), rep_fields
        ) in enumerate(rows)
    ]  # fmt: skip


@forall(rep_loads, leads)
def test_with_its_nearest_change_each_candidate_is_picked_and_with_less_it_is_not(
    rows: list[Any], lead: MatchedLead
) -> None:
    record = record_of(lead, built(rows))
    assert record.reproduced

    changes = nearest_changes(record)

    candidates = {it.rep for it in record.selection.candidates}
    assert changes.keys() == candidates - {record.picked}
    for rep, change in changes.items():
        assert picked_with(record, rep, change) == rep, (rep, change)
        if change.gap is not None:
            assert change.gap.rival != rep
            assert change.gap.lacked >= 0
        if change.gap is not None and change.gap.fewer:
            assert picked_with(record, rep, change, short=1) != rep, (rep, change)
        else:
            for reason in change.exclusions:
                fewer = replace(change, exclusions=tuple({*change.exclusions} - {reason}))
                assert picked_with(record, rep, fewer) != rep, (rep, reason)


@forall(rep_loads, leads)
def test_the_margin_names_the_rep_who_would_have_been_picked_without_the_pick(
    rows: list[Any], lead: MatchedLead
) -> None:
    loads = built(rows)
    record = record_of(lead, loads)

    margin = margin_of(record)

    if record.picked is None:
        assert margin is None
        return
    assert margin is not None
    assert margin.by >= 0
    without = lead._replace(
        owner=None, previous_rep=None, refused_by=lead.refused_by | {record.picked}
    )
    others = select_rep(without, loads, policy=POLICY, now=NOON)
    if lead.rule.ranking != FAIR:  # in fair share the others' shortfalls depend on the pick's share
        assert margin.rival == others.rep
    assert (margin.rival is None) == (others.rep is None)


@pytest.mark.parametrize(
    ("strategy", "loads", "change"),
    [
        (
            FAIR,
            [rep_load("a", assigned=1), rep_load("b", assigned=3)],
            NearestChange((), Gap("a", Measure.SHORTFALL, 2.0, 3)),
        ),
        (
            FAIR,
            [rep_load("a", assigned=1), rep_load("b", assigned=1)],
            NearestChange((), Gap("a", Measure.SHORTFALL, 0.0, 1)),
        ),
        (
            LOADED,
            [
                rep_load("a", open=5, rep_fields={"open_limit": 10}),
                rep_load("b", open=8, rep_fields={"open_limit": 10}),
            ],
            NearestChange((), Gap("a", Measure.OPEN, 0.3, 4)),
        ),
        (
            LOADED,
            [
                rep_load("a", open=5, rep_fields={"open_limit": 10}),
                rep_load("b", open=10, rep_fields={"open_limit": 10}),
            ],
            NearestChange((ExclusionReason.FULL,), Gap("a", Measure.OPEN, 0.4, 5)),
        ),
        (
            RANKED,
            [
                rep_load("a", rep_fields={"position": 1}),
                rep_load("b", rep_fields={"position": 4}),
            ],
            NearestChange((), Gap("a", Measure.RANK, 3.0, 4)),
        ),
        (
            FAIR,
            [rep_load("a", assigned=9), rep_load("b", rep_fields={"time_off": AWAY})],
            NearestChange((ExclusionReason.TIME_OFF,), None),
        ),
    ],
    ids=["shortfall", "tie", "load", "full, and then the load", "rank", "time off alone"],
)
def test_the_least_that_would_have_had_to_differ(
    strategy: str, loads: list[RepLoad], change: NearestChange
) -> None:
    record = record_of(matched_lead(rule=rule(strategy=strategy)), loads)

    assert record.picked == "a"
    assert nearest_changes(record) == {"b": change}


def test_an_inactive_rep_with_the_largest_capacity_changes_the_load_of_those_without() -> None:
    loads = [
        rep_load("a", open=4),
        rep_load("b", open=4, rep_fields={"open_limit": 5}),
        rep_load("c", open=3, rep_fields={"open_limit": 10, "active": False}),
    ]
    record = record_of(matched_lead(rule=rule(strategy=LOADED)), loads)

    change = nearest_changes(record)["c"]

    assert change == NearestChange((ExclusionReason.INACTIVE,), None)
    assert picked_with(record, "c", change) == "c"


@pytest.mark.parametrize("strategy", ["named", "forced"])
def test_a_pick_of_ops_is_lost_for_want_of_a_name(strategy: str) -> None:
    loads = [rep_load("a", open=1, rep_fields={"open_limit": 1}), rep_load("b")]
    lead = matched_lead(request=RequestedRep("a", force=True))
    record = record_of(lead, loads, picked="a", strategy=strategy)

    assert record.reproduced
    assert not replace(record, strategy=FAIR, picked="linus").reproduced
    assert nearest_changes(record) == {"b": NearestChange((), Gap("a", Measure.NAMED, 0.0, 0))}
    assert margin_of(record) == Margin("b", Measure.NAMED, 0.0)


def test_the_only_eligible_rep_has_no_rival() -> None:
    record = record_of(matched_lead(), [rep_load("a"), rep_load("b", rep_fields={"active": False})])
    assert margin_of(record) == Margin(None, Measure.SHORTFALL, 0.0)


def test_without_a_pick_every_candidate_lacks_only_what_excluded_it() -> None:
    record = record_of(matched_lead(), [rep_load("a", rep_fields={"active": False})])

    assert nearest_changes(record) == {"a": NearestChange((ExclusionReason.INACTIVE,), None)}
    assert margin_of(record) is None
