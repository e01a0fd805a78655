"""The clocks that a handoff's changes give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.sla_monitor.domain.clocks import Clock, EscalationStep, State
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy, UnknownTerms
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import NOON, agreement, minutes
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    PAUSABLE,
    TOUCH,
    agreement_with,
    derived_clocks,
    minutes_after_noon,
    next_rep,
    numbered,
    paused,
    policy,
    sla_section,
    step,
)

ASSIGNED = step(Change.ASSIGNED)


def outcome(clock: Clock) -> tuple[State, float | None]:
    """The clock's state, and how many minutes after noon it ended."""
    return clock.state, None if clock.ended_at is None else (clock.ended_at - NOON) / minutes(1)


def test_an_assignment_starts_the_hops_clocks_and_the_journeys() -> None:
    clocks = derived_clocks([ASSIGNED], ACCEPT, TOUCH, JOURNEY)
    assert {name: (it.due_at - NOON) / minutes(1) for name, it in clocks.items()} == {
        "accept/1": 15,
        "touch/1": 60,
        "journey/0": 120,
    }
    assert clocks["touch/1"].warn_at == minutes_after_noon(48)
    assert all(it.state is State.RUNNING for it in clocks.values())


def test_a_waiting_lead_has_the_journeys_clock_only() -> None:
    assert set(derived_clocks([step(Change.WAITING, rep=None, hop=0)], TOUCH, JOURNEY)) == {
        "journey/0"
    }


S = State
STOPPED: list[tuple[str, list[HandoffChanged], tuple[S, float | None], tuple[S, float | None]]] = [
    ("accepted", [step(Change.ACCEPTED, 10)], (S.MET, 10), (S.RUNNING, None)),
    ("accepted when due", [step(Change.ACCEPTED, 15)], (S.MET, 15), (S.RUNNING, None)),
    ("accepted too late", [step(Change.ACCEPTED, 16)], (S.LATE, 16), (S.RUNNING, None)),
    ("contacted, never accepted", [step(Change.CONTACTED, 10)], (S.MET, 10), (S.MET, 10)),
    ("contacted late", [step(Change.CONTACTED, 61)], (S.LATE, 61), (S.LATE, 61)),
    (
        "contacted by what is no touch",
        [step(Change.CONTACTED, 10, touch=False)],
        (S.MET, 10),
        (S.RUNNING, None),
    ),
    (
        "no touch, then a touch",
        [step(Change.CONTACTED, 10, touch=False), step(Change.CONTACTED, 20, touch=True)],
        (S.MET, 10),
        (S.MET, 20),
    ),
    (
        "accepted, contacted",
        [step(Change.ACCEPTED, 5), step(Change.CONTACTED, 9)],
        (S.MET, 5),
        (S.MET, 9),
    ),
    (
        "accepted afterwards",
        [step(Change.CONTACTED, 5), step(Change.ACCEPTED, 9)],
        (S.MET, 5),
        (S.MET, 5),
    ),
    (
        "contacted twice",
        [step(Change.CONTACTED, 70), step(Change.CONTACTED, 9)],
        (S.MET, 9),
        (S.MET, 9),
    ),
    ("contacted before assigned", [step(Change.CONTACTED, -5)], (S.MET, 0), (S.MET, 0)),
    ("won", [step(Change.WON, 10)], (S.MET, 10), (S.MET, 10)),
    ("lost", [step(Change.LOST, 10)], (S.CANCELLED, 10), (S.CANCELLED, 10)),
    ("lost after breach", [step(Change.LOST, 61)], (S.CANCELLED, 61), (S.CANCELLED, 61)),
    ("returned", [step(Change.RETURNED, 10)], (S.CANCELLED, 10), (S.CANCELLED, 10)),
    ("rejected", [step(Change.REJECTED, 10, rep=None)], (S.CANCELLED, 10), (S.CANCELLED, 10)),
    ("waiting again", [step(Change.WAITING, 10, rep=None)], (S.CANCELLED, 10), (S.CANCELLED, 10)),
    ("reassigned", [next_rep(10)], (S.CANCELLED, 10), (S.CANCELLED, 10)),
    ("contacted, reassigned", [step(Change.CONTACTED, 9), next_rep(10)], (S.MET, 9), (S.MET, 9)),
    ("delivered", [step(Change.DELIVERED, 1)], (S.RUNNING, None), (S.RUNNING, None)),
]


@pytest.mark.parametrize(
    ("steps", "accept", "touch"), [it[1:] for it in STOPPED], ids=[it[0] for it in STOPPED]
)
def test_what_stops_and_what_ends_a_hops_clocks(
    steps: list[HandoffChanged],
    accept: tuple[State, float | None],
    touch: tuple[State, float | None],
) -> None:
    clocks = derived_clocks(numbered(ASSIGNED, *steps), ACCEPT, TOUCH)
    assert (outcome(clocks["accept/1"]), outcome(clocks["touch/1"])) == (accept, touch)


@pytest.mark.parametrize(
    ("steps", "journey"),
    [
        ([next_rep(30)], (S.RUNNING, None)),
        ([next_rep(30), step(Change.CONTACTED, 40, hop=2, rep="linus")], (S.MET, 40)),
        ([step(Change.REJECTED, 30, rep=None)], (S.RUNNING, None)),
        ([step(Change.REJECTED, 30, rep=None, recycle=True)], (S.CANCELLED, 30)),
        ([step(Change.RETURNED, 30, rep=None)], (S.CANCELLED, 30)),
        ([step(Change.LOST, 30)], (S.CANCELLED, 30)),
        ([step(Change.WON, 130)], (S.LATE, 130)),
    ],
    ids=["next rep", "second rep", "rejected", "recycled", "returned", "lost", "won late"],
)
def test_a_journey_goes_on_from_rep_to_rep(
    steps: list[HandoffChanged], journey: tuple[State, float | None]
) -> None:
    assert outcome(derived_clocks(numbered(ASSIGNED, *steps), JOURNEY)["journey/0"]) == journey


@pytest.mark.parametrize(
    ("contacted", "recorded", "report_within", "reported_late"),
    [
        (50, 50, "1h", False),
        (50, 110, "1h", False),
        (50, 111, "1h", True),
        (50, 24 * 60 + 50, "8h", False),
        (50, 24 * 60 + 51, "8h", True),
        (61, 999, "1h", False),
    ],
    ids=["at once", "just in time", "too late", "a working day", "longer", "answered late anyway"],
)
def test_a_met_promise_is_reported_late_by_working_time(
    contacted: float, recorded: float, report_within: str, *, reported_late: bool
) -> None:
    recorded_at = minutes_after_noon(recorded)
    history = numbered(ASSIGNED, step(Change.CONTACTED, contacted, recorded_at=recorded_at))
    section = {**sla_section(TOUCH), "report_within": report_within}
    policies = {1: SlaPolicy(1, agreement(sla=section))}

    [clock] = derive_clocks(history, policies)

    assert (clock.reported_at, clock.reported_late) == (recorded_at, reported_late)


def test_a_new_assignee_gets_a_clock_of_their_own() -> None:
    clocks = derived_clocks(numbered(ASSIGNED, next_rep(30)), TOUCH)
    assert clocks["touch/1"].rep == "grace"
    assert clocks["touch/2"].rep == "linus"
    assert clocks["touch/2"].due_at == minutes_after_noon(90)
    assert clocks["touch/1"].ended_by == "reassigned"


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ({"anchor": "qualified", "scope": "journey"}, -90),
        ({"anchor": "qualified"}, 0),
        ({"anchor": "assigned"}, 0),
        ({"anchor": "assigned", "scope": "journey"}, 0),
        ({"anchor": "accepted"}, 20),
        ({"anchor": "won"}, 25),
    ],
    ids=[
        "qualified",
        "a hop begins with the assignment",
        "assigned",
        "first assigned",
        "accepted",
        "won",
    ],
)
def test_the_anchor_is_when_a_clock_starts(fields: dict[str, str], started: float) -> None:
    waiting = step(Change.WAITING, -90, rep=None, hop=0)
    steps = [waiting, ASSIGNED, step(Change.ACCEPTED, 20), step(Change.WON, 25)]
    history = [replace(it, qualified_at=minutes_after_noon(-90)) for it in numbered(*steps)]
    [clock] = derived_clocks(history, policy("any", **fields)).values()
    assert clock.started_at == minutes_after_noon(started)


def test_a_promise_to_a_customer_begins_with_the_win() -> None:
    hello = policy("hello", anchor="won", scope="journey")
    won = [ASSIGNED, step(Change.CONTACTED, 5), step(Change.WON, 10)]
    assert outcome(derived_clocks(numbered(*won), hello)["hello/0"]) == (State.RUNNING, None)
    called = numbered(*won, step(Change.CONTACTED, 30))
    assert outcome(derived_clocks(called, hello)["hello/0"]) == (State.MET, 30)


def test_a_lead_of_the_night_counts_from_the_next_opening() -> None:
    night = minutes_after_noon(8 * 60)  # Wednesday, 20:00
    history = [replace(ASSIGNED, assigned_at=night)]
    clock = derived_clocks(history, TOUCH)["touch/1"]
    assert clock.started_at == night
    assert clock.due_at == minutes_after_noon(22 * 60)  # Thursday, 10:00


def test_a_hop_counts_the_reps_own_hours_and_a_journey_the_teams() -> None:
    clocks = derived_clocks([step(Change.ASSIGNED, calendar="always")], TOUCH, JOURNEY)
    assert (clocks["touch/1"].calendar, clocks["journey/0"].calendar) == ("always", "office")
    unknown = derived_clocks([step(Change.ASSIGNED, calendar="gone")], TOUCH)
    assert unknown["touch/1"].calendar == "office"


def test_a_team_without_hours_is_rejected() -> None:
    with pytest.raises(UnknownTerms, match="no calendar for the team 'nobody'"):
        derived_clocks([step(Change.ASSIGNED, team="nobody")], TOUCH)


def test_a_policy_applies_where_the_condition_holds() -> None:
    hot = policy("hot", when='tier == "enterprise" && team == "sales"')
    assert set(derived_clocks([step(Change.ASSIGNED, tier="enterprise")], hot)) == {"hot/1"}
    assert set(derived_clocks([ASSIGNED], hot)) == set()


def test_a_clock_is_pinned_to_the_version_that_it_started_under() -> None:
    policies = {
        1: SlaPolicy(1, agreement_with(TOUCH)),
        2: SlaPolicy(2, agreement_with(policy("touch", target="3h"))),
    }
    history = numbered(ASSIGNED, next_rep(30), step(Change.ACCEPTED, 31, hop=2, rep="linus"))
    later = [replace(it, agreement_version=1 if it.hop == 1 else 2) for it in history]
    assert [it.target for it in derive_clocks(later, policies)] == [
        timedelta(hours=1),
        timedelta(hours=3),
    ]


def test_escalation_steps_count_business_time_after_the_breach() -> None:
    steps = [
        {"notify": "team"},
        {"notify": "ops"},
        {"after": "5h", "notify": "team"},
        {"after": "30m", "notify": "ops"},
    ]
    clock = derived_clocks([ASSIGNED], policy("any", ladder=steps))["any/1"]
    assert clock.escalation_steps == (
        EscalationStep(minutes_after_noon(60), "team"),
        EscalationStep(minutes_after_noon(60), "ops"),
        EscalationStep(minutes_after_noon(90), "ops"),
        EscalationStep(minutes_after_noon(60 + 5 * 60 + 16 * 60), "team"),
    )


def test_a_warning_comes_a_part_of_the_target_or_a_business_time_before_it() -> None:
    slow = policy("slow", target="6h", warn_before="90m")
    clock = derived_clocks([ASSIGNED], slow)["slow/1"]
    assert clock.due_at == minutes_after_noon(22 * 60)  # Thursday, 10:00
    assert clock.warn_at == minutes_after_noon(4 * 60 + 30)


@pytest.mark.parametrize(
    ("target", "due"),
    [("5h", 21 * 60), ("299m", 299), ("301m", 21 * 60 + 1)],
    ids=["at closing", "before it", "after it"],
)
def test_a_due_time_at_closing_may_move_to_the_next_opening(target: str, due: float) -> None:
    rolled = policy("touch", target=target, roll_to_next_open=True, warn_before="1m")
    clock = derived_clocks([ASSIGNED], rolled)["touch/1"]
    assert clock.due_at == minutes_after_noon(due)
    assert derived_clocks([ASSIGNED], policy("touch", target="5h"))[
        "touch/1"
    ].due_at == minutes_after_noon(300)


def test_a_pause_before_a_due_time_that_has_moved_to_the_opening_counts() -> None:
    rolled = policy("touch", target="5h", roll_to_next_open=True)
    history = numbered(ASSIGNED, paused(400, 1_000))  # from 18:40 to 11:20 on Thursday
    versions = {1: SlaPolicy(1, agreement(sla=sla_section(rolled), routing=PAUSABLE))}
    [clock] = derive_clocks(history, versions)
    assert clock.due_at == minutes_after_noon(1_400)
