"""Many leads given out one by one: the same picks as one at a time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.routing.domain.assignment.allocation import BatchAllocator
from services.routing.domain.assignment.eligibility import MatchedLead
from services.routing.domain.assignment.selection import loads_after, select_rep
from services.routing.domain.roster import Absence, RepLoad
from shared.agreement.model import RoutingRule
from tests.builders import NOON, days
from tests.services.routing.builders import at, build_policy, matched_lead, rep_load, rule

POLICY = build_policy()
AWAY = (Absence(NOON - days(1), at(20, 8)),)
MATCH = "lead.country in rep.territories"
RULES = (
    rule(),
    rule(match=MATCH),
    rule(match=MATCH, strategy="least_loaded"),
    rule(match=MATCH, sticky=False),
    rule(match="fit >= 50.5 || lead.country in rep.territories"),
    rule(match="rep['id'] != 'rep_1' && lead.country in rep.territories"),
    rule(strategy="ranked", hours="open"),
    rule(strategy="owner", sticky=False),
    rule(**{"strategy": "owner", "else": "wait", "match": MATCH}),
    rule(**{"strategy": "owner", "else": "wait", "team": "elsewhere"}),
    rule(strategy="least_loaded", team="elsewhere", sticky_across_teams=True),
)

reps = st.lists(
    st.builds(
        lambda *of: of,
        st.sampled_from([0.5, 1.0, 2.0, 3.0]),
        st.one_of(st.none(), st.integers(1, 4)),
        st.one_of(st.none(), st.integers(1, 4)),
        st.sampled_from([("DE",), ("DE", "FR"), ("FR",), ()]),
        st.sampled_from([(), (), (), AWAY]),
        st.integers(0, 3),
        st.fractions(0, 3, max_denominator=7),
        st.sampled_from(["sales", "sales", "sales", "elsewhere"]),
    ),
    max_size=7,
)
leads = st.lists(
    st.builds(
        lambda rule, country, fit, previous_rep, earlier_reps, refused_by, owner: matched_lead(
            rule=rule,
            facts={**matched_lead().facts, "lead": {"country": country}, "fit": fit},
            previous_rep=None if previous_rep is None else f"rep_{previous_rep}",
            earlier_reps=frozenset(f"rep_{it}" for it in earlier_reps),
            refused_by=frozenset(f"rep_{it}" for it in refused_by),
            owner=None if owner is None else f"rep_{owner}",
        ),
        st.sampled_from(RULES),
        st.sampled_from(["DE", "FR", "US"]),
        st.sampled_from([40.5, 60.5]),
        st.one_of(st.none(), st.integers(0, 9)),
        st.one_of(st.just(set()), st.sets(st.integers(0, 3), max_size=2)),
        st.one_of(st.just(set()), st.sets(st.integers(0, 3), max_size=2)),
        st.one_of(st.none(), st.none(), st.integers(0, 9)),
    ),
    max_size=25,
)


def rep_loads_of(reps: list[tuple[object, ...]]) -> list[RepLoad]:
    return [
        rep_load(
            f"rep_{number}",
            rep_fields={
                "weight": weight,
                "open_limit": open_limit,
                "per_day_limit": per_day,
                "territories": territories,
                "time_off": time_off,
                "team": team,
                "position": -number,
            },
            assigned=assigned,
            credit=float(credit) if isinstance(credit, Fraction) else 0.0,
        )
        for number, (
            weight, open_limit, per_day, territories, time_off, assigned, credit, team
        ) in enumerate(reps)
    ]  # fmt: skip


@forall(reps, leads)
def test_every_lead_of_a_batch_goes_to_the_rep_whom_select_rep_selects(
    reps: list[tuple[object, ...]], leads: list[MatchedLead]
) -> None:
    compare(rep_loads_of(reps), leads)


def test_a_full_rep_does_not_count_in_shortfalls() -> None:
    weights = {"heavy": 3.0, "light": 1.0, "middling": 2.0}
    loads = [
        rep_load(id, rep_fields={"weight": weight, "open_limit": 6 if id == "heavy" else None})
        for id, weight in weights.items()
    ]

    compare(loads, [matched_lead()] * 30)


def test_a_match_that_may_read_every_field_is_evaluated_for_each_rep() -> None:
    picky = matched_lead(rule=rule(match="rep['id'] == 'linus'"))

    compare([rep_load("grace"), rep_load("linus")], [picky] * 3)


def compare(loads: list[RepLoad], leads: list[MatchedLead]) -> None:
    """Compare with selecting a rep for one lead at a time."""
    allocator = BatchAllocator(loads, policy=POLICY, now=NOON)

    for lead in leads:
        expected = select_rep(lead, loads, policy=POLICY, now=NOON)
        choice = allocator.assign(lead)
        assert (choice.rep, choice.strategy) == (expected.rep, expected.strategy)
        if choice.leaves_team:
            assert (lead.rule.team, expected.rep) == ("elsewhere", None)
        if expected.rep is not None:
            loads = loads_after(loads, [expected.rep], policy=POLICY, now=NOON)

    after = allocator.loads()
    assert [it.assigned for it in after] == [it.assigned for it in loads]
    assert [it.credit for it in after] == pytest.approx([it.credit for it in loads])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(rule(), at(19, 0)), (rule(match=MATCH), at(19, 0)), (rule(match="false"), at(19, 0))],
    ids=["anybody", "who matches", "nobody"],
)
def test_a_lead_without_a_rep_is_reviewed_when_time_makes_one_eligible(
    rule: RoutingRule, expected: object
) -> None:
    allocator = BatchAllocator(
        [
            rep_load("full", rep_fields={"open_limit": 1}, open=1),
            rep_load("daily", rep_fields={"per_day_limit": 1}, today=1),
            rep_load("gone", rep_fields={"time_off": AWAY}),
        ],
        policy=POLICY,
        now=NOON,
    )

    choices = [allocator.assign(matched_lead(rule=rule)) for _ in range(2)]

    assert [(it.rep, it.position, it.review_at) for it in choices] == [(None, 0, expected)] * 2
    assert not allocator.anybody_free


def test_a_lead_that_waits_for_its_owner_is_reviewed_when_the_owner_is_back() -> None:
    waiting = matched_lead(rule=rule(**{"strategy": "owner", "else": "wait"}), owner="gone")
    allocator = BatchAllocator(
        [rep_load("gone", rep_fields={"time_off": AWAY}), rep_load("grace")],
        policy=POLICY,
        now=NOON,
    )

    choice = allocator.assign(waiting)

    assert (choice.rep, choice.strategy, choice.review_at) == (None, "owner", at(20, 8))


def test_without_reps_there_is_no_instant_of_review() -> None:
    assert BatchAllocator([], policy=POLICY, now=NOON).assign(matched_lead()).review_at is None


def test_a_rep_who_reaches_capacity_is_not_free() -> None:
    allocator = BatchAllocator(
        [rep_load("grace", rep_fields={"open_limit": 2})], policy=POLICY, now=NOON
    )

    positions = [allocator.assign(matched_lead()).position for _ in range(2)]

    assert (positions, allocator.reps, allocator.anybody_free) == ([0, 1], ["grace"] * 2, False)
