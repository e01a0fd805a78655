"""Processes are killed in the middle of the steps of ladders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest

from shared.db.session import Sessions
from tests.fault.audit import reading
from tests.fault.handovers import (
    OF_LEADS,
    PATIENCE_S,
    VICTIMS,
    check_changes,
    check_webhooks,
    kill,
    rows_of,
    send_requests,
    settle,
)
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

ROUNDS = 4 if FULL else 1
"""How often each of the processes is killed that a step passes through."""
LEADS, HOPS = 8, 3
"""Leads that arrive before each kill, and the reps who get each of them: the agreement's `max_hops`."""

_STEPS = f"""
    select handoff.id, step.hop, step.rep, step.step, step.outcome {OF_LEADS}
    join routing.escalations step on step.handoff_id = handoff.id order by handoff.id, step.hop
"""


def test_killed_in_the_middle_of_ladders_every_step_is_taken_once(proof: Proof) -> None:
    """Nobody answers: each lead goes from rep to rep until it is in the pool, whichever process is killed."""
    emails: list[str] = []

    def check(disturbance: Disturbance) -> None:
        with reading(disturbance.world) as sessions:
            settle(sessions, emails, steps=HOPS * len(emails))
            _check_steps(sessions, emails)
            check_changes(sessions, emails, hops=HOPS, ends_in_pool=True)
            _check_clocks(sessions, emails)
            check_webhooks(sessions, emails, disturbance.world.receiver)

    fault = "kill -9 in the steps of ladders"
    with proof.disturb(fault, "climbed", expect=check) as disturbance:
        disturbance.wait_for_flow()
        for number in range(ROUNDS):
            for victim in disturbance.chance.sample(list(VICTIMS), len(VICTIMS)):
                people = [f"{victim.name}-{number}-{it}@ladders.example.com" for it in range(LEADS)]
                emails += people
                send_requests(disturbance.world, people, country="MT")
                _wait_for_steps(disturbance, people)
                kill(disturbance, victim)


def _wait_for_steps(disturbance: Disturbance, emails: Sequence[str]) -> None:
    """Wait until routing knows some of the steps about these leads, and others are still to come."""
    least = disturbance.chance.randint(1, LEADS * (HOPS - 1))
    with reading(disturbance.world) as sessions:
        until(
            lambda: len(rows_of(sessions, _STEPS, emails)) >= least,
            within_s=PATIENCE_S,
            why=f"{least} steps",
        )


def _check_steps(sessions: Sessions, emails: Sequence[str]) -> None:
    """Each hop ended by one step: two gave the handoff to another rep, the last one to the pool."""
    steps: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in rows_of(sessions, _STEPS, emails):
        steps[str(row.id)].append((row.hop, row.outcome))
    assert len(steps) == len(emails)
    expected = [*((hop, "reassigned") for hop in range(1, HOPS)), (HOPS, "returned_to_pool")]
    assert {id: it for id, it in steps.items() if it != expected} == {}


def _check_clocks(sessions: Sessions, emails: Sequence[str]) -> None:
    """The clock of each hop broke at its due time, and took all its steps before its hop ended."""
    statement = f"""
        select clock.handoff_id, clock.hop, clock.state, timer.breached_at = clock.due_at as dated,
            timer.escalation_count = jsonb_array_length(clock.escalation_steps) as climbed
        {OF_LEADS} join sla.clocks clock on clock.handoff_id = handoff.id
        join sla.timers timer on timer.clock_id = clock.id
    """
    clocks = rows_of(sessions, statement, emails)
    assert len(clocks) == HOPS * len(emails)
    assert {(it.state, it.dated, it.climbed) for it in clocks} == {("cancelled", True, True)}
