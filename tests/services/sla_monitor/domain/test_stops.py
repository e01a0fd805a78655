"""What meets promises of a meeting, of an outcome, of attempts and of satisfaction; policies by source and campaign."""

from __future__ import annotations

from typing import Any

import pytest

from services.sla_monitor.domain.clocks import Clock, State
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import NOON, minutes
from tests.services.sla_monitor.builders import derived_clocks, next_rep, numbered, policy, step

ASSIGNED = step(Change.ASSIGNED)
S = State


def outcome(clock: Clock) -> tuple[State, float | None]:
    """The clock's state, and how many minutes after noon it ended."""
    return clock.state, None if clock.ended_at is None else (clock.ended_at - NOON) / minutes(1)


MEETING = policy("met", kind="meeting", outcomes=["meeting_booked"], target="5h")
OUTCOME = policy("outcome", kind="outcome", target="5h")


def contact(at: float, outcome: str = "no_answer", **fields: Any) -> HandoffChanged:
    return step(Change.CONTACTED, at, outcome=outcome, **fields)


@pytest.mark.parametrize(
    ("steps", "meeting", "result"),
    [
        ([contact(10)], (S.RUNNING, None), (S.RUNNING, None)),
        ([contact(10), contact(20, "meeting_booked")], (S.MET, 20), (S.RUNNING, None)),
        ([step(Change.WON, 30)], (S.MET, 30), (S.MET, 30)),
        ([step(Change.LOST, 30)], (S.CANCELLED, 30), (S.MET, 30)),
        ([next_rep(30)], (S.CANCELLED, 30), (S.CANCELLED, 30)),
    ],
    ids=["another contact", "a meeting", "won", "lost", "reassigned"],
)
def test_what_meets_a_meeting_and_an_outcome(
    steps: list[HandoffChanged],
    meeting: tuple[State, float | None],
    result: tuple[State, float | None],
) -> None:
    clocks = derived_clocks(numbered(ASSIGNED, *steps), MEETING, OUTCOME)
    assert (outcome(clocks["met/1"]), outcome(clocks["outcome/1"])) == (meeting, result)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([contact(10), contact(20)], (S.RUNNING, None)),
        ([contact(10), contact(20), contact(69)], (S.RUNNING, None)),
        ([contact(10), contact(20), contact(69), contact(70)], (S.MET, 70)),
        ([contact(10), contact(20), contact(30), contact(600)], (S.LATE, 600)),
        ([contact(10), contact(20, attempt=False), contact(80)], (S.RUNNING, None)),
        ([contact(10), contact(20, "talked", reached=True)], (S.MET, 20)),
        ([contact(10), contact(20, "talked", attempt=False, reached=True)], (S.MET, 20)),
        ([contact(10), step(Change.WON, 15)], (S.MET, 15)),
        ([contact(10), step(Change.LOST, 15)], (S.CANCELLED, 15)),
    ],
    ids=[
        "too few", "too close", "enough", "too late", "no attempt", "reached", "reached, no attempt", "won", "lost",
    ],
)  # fmt: skip
def test_attempts_are_enough_by_count_and_spread_or_when_they_reach_the_person(
    steps: list[HandoffChanged], expected: tuple[State, float | None]
) -> None:
    tries = policy("tries", kind="attempts", count=3, spread="1h", target="5h")
    history = numbered(ASSIGNED, *steps)
    for order in (history, history[::-1]):
        in_order = sorted(order, key=lambda it: it.sequence)
        assert outcome(derived_clocks(in_order, tries)["tries/1"]) == expected


def test_a_policy_may_ask_for_the_source_and_the_campaign_of_a_lead() -> None:
    web = policy("web", when='"website" in sources && campaign == "spring"')
    of_campaign = step(Change.ASSIGNED, sources=("events", "website"), campaign="spring")
    assert set(derived_clocks([of_campaign], web)) == {"web/1"}
    assert derived_clocks([ASSIGNED], web) == {}


SATISFIED = policy("happy", kind="satisfaction", anchor="won", outcomes=["satisfied"], target="2h")


@pytest.mark.parametrize("scope", ["hop", "journey"])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([contact(10, "satisfied")], None),
        ([step(Change.LOST, 30)], None),
        ([contact(10, "satisfied"), step(Change.WON, 30)], (S.RUNNING, None)),
        ([step(Change.WON, 30), contact(40)], (S.RUNNING, None)),
        ([step(Change.WON, 30), contact(40), contact(50, "satisfied")], (S.MET, 50)),
        ([step(Change.WON, 30), contact(50, "satisfied"), contact(40, "satisfied")], (S.MET, 40)),
        ([step(Change.WON, 30), contact(600, "satisfied")], (S.LATE, 600)),
    ],
    ids=[
        "before a win", "lost", "said before the win", "another contact", "met", "reported late", "too late",
    ],
)  # fmt: skip
def test_what_meets_a_promise_of_satisfaction(
    steps: list[HandoffChanged], expected: tuple[State, float | None] | None, scope: str
) -> None:
    clocks = derived_clocks(numbered(ASSIGNED, *steps), {**SATISFIED, "scope": scope})
    assert [outcome(it) for it in clocks.values()] == ([] if expected is None else [expected])
    if expected is not None:
        assert [it.started_at for it in clocks.values()] == [NOON + minutes(30)]


def test_what_a_customer_says_ends_no_other_promise() -> None:
    others = (MEETING, OUTCOME, policy("tries", kind="attempts", count=3, target="5h"))
    won = [ASSIGNED, contact(5), step(Change.WON, 30)]
    later = [contact(40, "satisfied", reached=True), contact(50, "meeting_booked")]
    before = derived_clocks(numbered(*won), *others)
    assert derived_clocks(numbered(*won, *later), *others) == before
