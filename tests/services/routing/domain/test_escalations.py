"""What steps of ladders do with handoffs, and that a handoff reaches the end of its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.escalations import (
    Action,
    Escalation,
    KeptWhileAway,
    Plan,
    StepOutcome,
    Terms,
    first_of_each_handoff,
    is_broken_promise,
    reassigning_policy,
)
from services.routing.domain.handoff import Handoff, State, assignment_step, pool_step
from shared.contracts.payloads import Change, ClockChange, Scope, SlaChanged
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, an_id, sla_changed
from tests.services.routing.builders import handoff

TERMS = Terms(1, "standard", "sales")
LADDER = [{"notify": "team"}, {"after": "1h", "do": "reassign"}]


def escalation(step: Action = Action.REASSIGN, **fields: Any) -> Escalation:
    """A step about Ada's handoff, against Grace."""
    clock = sla_changed(ClockChange.ESCALATED, handoff_id=handoff().id, step=step)
    made = Escalation.of(clock, "clock/escalated/1")
    assert made is not None
    return replace(made, **fields)


@pytest.mark.parametrize(
    "clock",
    [
        sla_changed(ClockChange.ESCALATED, step="team"),
        sla_changed(ClockChange.ESCALATED, step="a step of a later version"),
        sla_changed(ClockChange.BREACHED, step="none"),
        sla_changed(ClockChange.ESCALATED, step="reassign", rep=None),
    ],
    ids=["a notice", "unknown", "a breach", "nobody has it"],
)
def test_other_changes_of_clocks_take_nothing_from_a_rep(clock: SlaChanged) -> None:
    assert Escalation.of(clock, "cause") is None


@pytest.mark.parametrize(
    ("after", "obstacle"),
    [
        (handoff(), None),
        (handoff(State.ACCEPTED), StepOutcome.ANSWERED),
        (handoff(State.CONTACTED), StepOutcome.ANSWERED),
        (handoff(hop=2, rep="linus"), StepOutcome.MOVED_ON),
        (handoff(State.WAITING, hop=1), StepOutcome.MOVED_ON),
        (handoff(State.WON), StepOutcome.MOVED_ON),
        (None, StepOutcome.MOVED_ON),
    ],
    ids=["assigned", "accepted", "contacted", "another rep", "waiting", "won", "unknown"],
)
def test_a_step_does_something_only_while_its_rep_has_not_answered(
    after: Handoff | None, obstacle: StepOutcome | None
) -> None:
    assert escalation().obstacle(after) is obstacle

    plan = Plan()
    plan.add(escalation(), after, max_hops=3)
    assert plan.outcomes == {"clock/escalated/1": obstacle or StepOutcome.REASSIGNED}
    assert plan.moved == ([] if obstacle else [after])


def test_a_step_for_a_rep_away_is_due_at_once_and_says_so() -> None:
    kept = KeptWhileAway(handoff().id, 1, "grace", TERMS)

    step = Escalation.of_rep_away(kept, "accept", now=NOON)

    assert step.command.reason == "rep_away"
    assert escalation().command.reason == "promise_broken"
    assert (step.due_at, step.id) == (NOON, f"{handoff().id}/1/away")


@pytest.mark.parametrize(
    ("policies", "policy"),
    [
        ([], None),
        ([{"ladder": [{"notify": "team"}]}], None),
        ([{"ladder": LADDER, "when": 'team == "another"'}], None),
        ([{"ladder": LADDER, "when": 'team == "sales"'}], "accept"),
        ([{"ladder": LADDER}], "accept"),
    ],
    ids=["none", "only notices", "of others", "of the team", "of all"],
)
def test_a_ladder_reassigns_where_one_of_the_promises_says_so(
    policies: list[dict[str, Any]], policy: str | None
) -> None:
    promise = {"id": "accept", "kind": "accept", "scope": "hop", "anchor": "assigned"}
    section = {**DEFAULT_SECTIONS["sla"]}
    section["policies"] = [{**promise, "target": "15m", **it} for it in policies]

    assert reassigning_policy(agreement(sla=section), TERMS) == policy


@pytest.mark.parametrize(
    ("step", "hop", "pooled"),
    [
        (Action.REASSIGN, 1, False),
        (Action.REASSIGN, 2, False),
        (Action.REASSIGN, 3, True),
        (Action.REASSIGN, 4, True),
        (Action.RETURN_TO_POOL, 1, True),
    ],
)
def test_after_so_many_reps_a_handoff_returns_to_the_pool(
    step: Action, hop: int, pooled: object
) -> None:
    plan = Plan()

    plan.add(escalation(step, hop=hop), handoff(hop=hop), max_hops=3)

    assert bool(plan.pooled) is pooled
    [outcome] = plan.outcomes.values()
    assert outcome.concerns_lead is pooled


def test_one_step_of_a_handoff_is_taken_at_a_time() -> None:
    steps = [
        escalation(),
        escalation(Action.RETURN_TO_POOL, id="later"),
        escalation(handoff_id=an_id("another"), id="of another"),
    ]

    assert first_of_each_handoff(steps) == [steps[0], steps[2]]


@pytest.mark.parametrize(
    ("clock", "broken"),
    [
        (sla_changed(), True),
        (sla_changed(scope=Scope.JOURNEY), False),
        (sla_changed(rep=None), False),
        (sla_changed(ClockChange.MET), False),
    ],
    ids=["of a rep", "of the journey", "of nobody", "met"],
)
def test_a_rep_breaks_promises_of_hops(clock: SlaChanged, broken: object) -> None:
    assert is_broken_promise(clock) is broken


def test_the_pool_keeps_a_handoff_until_it_is_assigned() -> None:
    pooled = pool_step(handoff(), now=NOON)

    assert (pooled.change, pooled.details) == (Change.WAITING, {"reason": "returned_to_pool"})
    assert (pooled.handoff.state, pooled.handoff.rep) == (State.WAITING, None)
    assert pooled.handoff.pooled
    assigned = assignment_step(pooled.handoff, "linus", calendar=None, now=NOON)
    assert not assigned.handoff.pooled


TAKING = (Action.REASSIGN, Action.RETURN_TO_POOL)
STEPS = st.lists(st.tuples(st.sampled_from(TAKING), st.integers(0, 12)), max_size=60)


@given(STEPS, st.integers(1, 6))
def test_whatever_steps_arrive_in_whatever_order_a_handoff_has_at_most_so_many_reps(
    steps: list[tuple[Action, int]], max_hops: int
) -> None:
    """Steps are for any hop, early or late, and each may arrive again."""
    current, reps = handoff(), ["rep 1"]
    for number, (action, hop) in enumerate([*steps, *steps]):
        plan = Plan()
        plan.add(escalation(action, hop=hop, id=str(number)), current, max_hops=max_hops)
        assert len(plan.outcomes) == 1
        if plan.pooled:
            current = pool_step(current, now=NOON).handoff
        elif plan.reassigned:
            rep = f"rep {len(reps) + 1}"
            current = assignment_step(current, rep, calendar=None, now=NOON).handoff
            reps.append(rep)
    assert len(reps) <= max_hops
    assert current.pooled == (current.rep is None)


def test_a_rep_is_kept_available_who_answered_or_lost_it_otherwise() -> None:
    step = escalation(Action.SET_UNAVAILABLE)
    elsewhere = handoff(hop=2, rep="linus")

    assert step.keeps_rep(handoff(), is_taken=False) is None
    assert step.keeps_rep(elsewhere, is_taken=True) is None
    assert step.keeps_rep(elsewhere, is_taken=False) is StepOutcome.MOVED_ON
    assert step.keeps_rep(handoff(State.ACCEPTED), is_taken=False) is StepOutcome.ANSWERED


def test_the_absence_lasts_as_long_as_the_step_says() -> None:
    clock = sla_changed(ClockChange.ESCALATED, step="set_unavailable", lasts_s=3600)
    step = Escalation.of(clock, "cause")
    assert step is not None

    absence = step.absence(now=NOON).absence
    assert (absence.since, absence.until) == (NOON, NOON + timedelta(hours=1))
    without = replace(step, clock=None).absence(now=NOON).absence
    assert without.since == without.until
