"""kill -9 of every kind of process, again and again, while events stream in."""

from __future__ import annotations

import time

import httpx
import pytest

from services.cli.processes import (
    PROCESSES,
    RELAY,
    ROUTING_DELIVERY,
    ROUTING_WORKER,
    SCORING_API,
    SCORING_WORKER,
    SLA_SWEEP,
    SLA_WORKER,
    Process,
)
from tests.fault.proof import Harm, Proof
from tests.fault.stream import FULL
from tests.journey.world import World, until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

KILLS = 36 if FULL else 9
SOON_S = 2.0
"""How soon a process should be back at work; how it is in the median, and never much later."""

WORK = {
    RELAY: "leadbaton_outbox_published_total",
    SCORING_API: "leadbaton_ingest_events_total",
    SCORING_WORKER: "leadbaton_consumed_records_total",
    ROUTING_WORKER: "leadbaton_consumed_records_total",
    ROUTING_DELIVERY: "leadbaton_delivery_tries_total",
    SLA_WORKER: "leadbaton_consumed_records_total",
    SLA_SWEEP: "leadbaton_sla_fired_total",
}
"""What each process counts when it has done something; the others only answer."""


def test_the_quiet_run_is_as_it_should_be(proof: Proof) -> None:
    [line] = proof.lines[:1]
    assert (line.lost, line.doubled) == (0, 0)
    assert sum(it.qualifications for it in proof.quiet.people.values()) > 0


def test_killed_at_random_moments_every_process_is_back_at_work_soon(proof: Proof) -> None:
    with proof.hurting("kill -9 of a process", "killed", over_s=KILLS * 2.6) as harm:
        harm.flowing()
        victims = [it for _ in range(KILLS // len(PROCESSES)) for it in _shuffled(harm)]
        for victim in victims:
            began = time.monotonic()
            harm.world.kill(victim)
            back = until(lambda: _at_work(harm.world, victim), within_s=20, why=victim.name)
            harm.recover_s.append(back - began)
            harm.times += 1
            until(lambda: time.monotonic() > back + harm.chance.uniform(0, 0.6))


def _shuffled(harm: Harm) -> list[Process]:
    return harm.chance.sample(PROCESSES, len(PROCESSES))


def _at_work(world: World, process: Process) -> float | None:
    """When it was seen to have done something since its start; None if it has not."""
    path = "/metrics" if process in WORK else process.health
    try:
        answer = httpx.get(world.here.url(process) + path, timeout=2, trust_env=False)
    except httpx.TransportError:
        return None
    done = process not in WORK or _counted(answer.text, WORK[process]) > 0
    return time.monotonic() if done and answer.status_code == 200 else None


def _counted(metrics: str, name: str) -> float:
    return sum(
        float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name)
    )
