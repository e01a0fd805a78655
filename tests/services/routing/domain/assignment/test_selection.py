"""Who does: fair share and the others, and what a selection says of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.routing.domain.assignment.eligibility import ExclusionReason
from services.routing.domain.assignment.selection import (
    credit_newcomers,
    loads_after,
    select_rep,
    shortfalls,
)
from services.routing.domain.policy import (
    TeamPolicy,
)
from services.routing.domain.roster import (
    Absence,
    RepLoad,
)
from tests.builders import NOON, days
from tests.services.routing.builders import at, build_policy, counts, matched_lead, rep_load, rule

POLICY = build_policy()


def run(loads: list[RepLoad], picks: int, *, policy: TeamPolicy = POLICY) -> list[RepLoad]:
    """Give out so many leads, one a minute."""
    for number in range(picks):
        now = NOON + timedelta(minutes=number)
        rep = select_rep(matched_lead(), loads, policy=policy, now=now).rep
        assert rep is not None
        loads = loads_after(loads, [rep], policy=policy, now=now)
    return loads


@forall(st.integers(1, 9), st.integers(0, 60))
def test_equal_weights_differ_by_at_most_one_after_every_assignment(reps: int, leads: int) -> None:
    loads = [rep_load(f"rep_{number}") for number in range(reps)]
    for _ in range(leads):
        loads = run(loads, 1)
        assert max(counts(loads)) - min(counts(loads)) <= 1


@forall(st.lists(st.sampled_from([1.0, 2.0, 3.0, 0.5]), min_size=1, max_size=6), st.integers(1, 80))
def test_weights_are_kept_to_within_one_lead(weights: list[float], leads: int) -> None:
    loads = [rep_load(f"rep_{n}", rep_fields={"weight": w}) for n, w in enumerate(weights)]

    loads = run(loads, leads)

    for load in loads:
        due = leads * load.rep.weight / sum(weights)
        assert abs(load.assigned - due) <= len(weights)
    assert sum(counts(loads)) == leads


@forall(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 4), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 20),
)
def test_an_ineligible_rep_never_gets_a_lead(
    reps: list[tuple[bool, int, int, bool]], leads: int
) -> None:
    away = (Absence(NOON - days(1), NOON + days(1)),)
    loads = [
        rep_load(
            f"rep_{number}",
            rep_fields={
                "active": active,
                "open_limit": open_limit,
                "per_day_limit": per_day,
                "time_off": away if absent else (),
            },
        )
        for number, (active, open_limit, per_day, absent) in enumerate(reps)
    ]
    room = sum(
        min(open_limit, per_day)
        for active, open_limit, per_day, absent in reps
        if active and not absent
    )
    for _ in range(leads):
        selection = select_rep(matched_lead(), loads, policy=POLICY, now=NOON)
        if selection.rep is not None:
            loads = loads_after(loads, [selection.rep], policy=POLICY, now=NOON)

    assert sum(counts(loads)) == min(leads, room)
    for load in loads:
        assert load.assigned == 0 or (load.rep.active and not load.rep.on_leave(NOON))
        assert load.open <= (load.rep.open_limit or 0)
        assert load.today <= (load.rep.per_day_limit or 0)


def test_a_shortfall_is_the_difference_to_the_fair_share() -> None:
    loads = [
        rep_load("grace", assigned=3),
        rep_load("linus", assigned=1, credit=1.0),
        rep_load("ada", rep_fields={"weight": 2.0}, assigned=3),
    ]

    assert shortfalls(loads) == {"grace": -1.0, "linus": 0.0, "ada": 1.0}


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        ([rep_load("a", assigned=2), rep_load("b", assigned=1)], "b"),
        ([rep_load("a"), rep_load("b", rep_fields={"weight": 2.0})], "b"),
        (
            [rep_load("a", last_assigned_at=NOON), rep_load("b", last_assigned_at=NOON - days(1))],
            "b",
        ),
        ([rep_load("a", last_assigned_at=NOON), rep_load("b")], "b"),
        ([rep_load("b"), rep_load("a")], "a"),
    ],
    ids=["largest shortfall", "larger weight", "longest since", "never had one", "id"],
)
def test_ties_are_broken_without_chance(loads: list[RepLoad], expected: str) -> None:
    assert select_rep(matched_lead(), loads, policy=POLICY, now=NOON).rep == expected


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        (
            [
                rep_load("a", rep_fields={"open_limit": 10}, open=5),
                rep_load("b", rep_fields={"open_limit": 20}, open=6),
            ],
            "b",
        ),
        ([rep_load("a", open=3), rep_load("b", open=2)], "b"),
        (
            [
                rep_load("a", open=3),
                rep_load("b", rep_fields={"open_limit": 10}, open=2),
                rep_load("large", rep_fields={"open_limit": 20, "active": False}),
            ],
            "b",
        ),
        (
            [rep_load("a", open=3), rep_load("b", rep_fields={"open_limit": 10}, open=4)],
            "a",
        ),
        ([rep_load("a", last_assigned_at=NOON), rep_load("b")], "b"),
    ],
    ids=["open by capacity", "no limits", "no limit", "no limit, less", "longest idle"],
)
def test_least_loaded_compares_open_handoffs_with_capacity(
    loads: list[RepLoad], expected: str
) -> None:
    selection = select_rep(
        matched_lead(rule=rule(strategy="least_loaded")), loads, policy=POLICY, now=NOON
    )

    assert (selection.rep, selection.strategy) == (expected, "least_loaded")


def test_ranked_selects_the_first_eligible_rep_of_the_file() -> None:
    loads = [
        rep_load("a", rep_fields={"position": 2}),
        rep_load("b", rep_fields={"position": 0, "active": False}),
        rep_load("c", rep_fields={"position": 1}, assigned=9),
    ]

    assert (
        select_rep(matched_lead(rule=rule(strategy="ranked")), loads, policy=POLICY, now=NOON).rep
        == "c"
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"previous_rep": "b"}, ("b", "sticky")),
        ({"previous_rep": "b", "rule": rule(sticky=False)}, ("a", "fair_share")),
        ({"previous_rep": "away"}, ("a", "fair_share")),
        ({"previous_rep": "elsewhere"}, ("a", "fair_share")),
    ],
    ids=["comes back", "unless the rule says no", "unless not eligible", "unless another team"],
)
def test_a_sticky_rule_selects_the_previous_rep(
    fields: dict[str, object], expected: tuple[str, str]
) -> None:
    loads = [
        rep_load("a"),
        rep_load("b", assigned=7),
        rep_load("away", rep_fields={"active": False}),
        rep_load("elsewhere", rep_fields={"team": "other"}),
    ]

    selection = select_rep(matched_lead(**fields), loads, policy=POLICY, now=NOON)

    assert (selection.rep, selection.strategy) == expected
    assert ("elsewhere" in {it.rep for it in selection.candidates}) == (
        fields["previous_rep"] == "elsewhere"
    )


def test_each_candidate_has_its_exclusions_if_none_is_eligible() -> None:
    loads = [
        rep_load("full", rep_fields={"open_limit": 1}, open=1),
        rep_load("daily", rep_fields={"per_day_limit": 1}, today=1),
        rep_load("gone", rep_fields={"time_off": (Absence(NOON, at(18, 15)),)}),
    ]

    selection = select_rep(matched_lead(), loads, policy=POLICY, now=NOON)

    assert selection.rep is None
    assert [[it.reason for it in candidate.excluded] for candidate in selection.candidates] == [
        [ExclusionReason.FULL],
        [ExclusionReason.FULL_TODAY],
        [ExclusionReason.TIME_OFF],
    ]
    assert all(it.shortfall is None for it in selection.candidates)


def test_a_rep_who_returns_from_leave_gets_no_more_than_a_fair_share() -> None:
    away = Absence(NOON, NOON + timedelta(minutes=20))
    loads = [rep_load("a"), rep_load("b"), rep_load("away", rep_fields={"time_off": (away,)})]

    loads = run(loads, 20)

    assert counts(loads) == [10, 10, 0]
    assert loads[2].credit == pytest.approx(10.0)


def test_a_newcomer_starts_with_what_the_others_had_on_average() -> None:
    loads = credit_newcomers(
        [
            rep_load("a", assigned=4),
            rep_load("b", rep_fields={"weight": 2.0}, assigned=8),
            rep_load("new", rep_fields={"weight": 0.5}, counted=False),
        ]
    )

    assert loads[2].credit == pytest.approx(2.0)
    assert credit_newcomers([rep_load("first", counted=False)])[0].credit == 0.0
