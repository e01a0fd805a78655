"""Every kind of process is killed with SIGKILL while events arrive."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from threading import Event

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
from tests.fault.processes import keeps_log, metric
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import World, until
from tests.loopback import NO_TLS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

ROUNDS = 4 if FULL else 1
"""How often each process is killed."""
BACK_S = 2.0
"""The limit from the kill of a process until it has worked again, or the time of a bare start where that is longer.

It holds for each kill at full size, and for half of the kills in the shorter cut, which must not fail because a machine
is busy. It holds on Apache Kafka only: the embedded broker has no static membership.
"""
BARE_START = (sys.executable, "-c", "import kafka, psycopg, sqlalchemy")
WORK = {
    RELAY: "leadbaton_outbox_published_total",
    SCORING_API: "leadbaton_ingest_events_total",
    SCORING_WORKER: "leadbaton_consumed_records_total",
    ROUTING_WORKER: "leadbaton_consumed_records_total",
    ROUTING_DELIVERY: "leadbaton_delivery_attempts_total",
    SLA_WORKER: "leadbaton_consumed_records_total",
    SLA_SWEEP: "leadbaton_sla_fired_total",
}
"""The counter that shows that a process has worked. The others are asked for their health only."""


def test_the_undisturbed_run_loses_and_doubles_nothing(proof: Proof) -> None:
    lines = [it for it in proof.lines if it.fault.startswith("none")]
    assert {(it.lost, it.doubled) for it in lines} == {(0, 0)}
    assert sum(it.qualifications for it in proof.undisturbed.people.values()) > 0


def test_killed_at_random_moments_every_process_is_back_at_work(proof: Proof) -> None:
    bare_starts_s: list[float] = []
    with proof.disturb("kill -9 of a process", "killed") as disturbance:
        disturbance.wait_for_flow()
        for _ in range(ROUNDS):
            bare_starts_s.append(_time_bare_start())
            for victim in disturbance.chance.sample(PROCESSES, len(PROCESSES)):
                _kill(disturbance, victim)
        if keeps_log(proof.world):
            disturbance.limit_s = max(BACK_S, median(bare_starts_s))
    limit_s = disturbance.limit_s
    assert limit_s is None or (max if FULL else median)(disturbance.recover_s) <= limit_s


def _time_bare_start() -> float:
    """How long a Python process takes to start and to import the clients, while the stream flows."""
    began_s = time.monotonic()
    subprocess.run(BARE_START, check=True)
    return time.monotonic() - began_s


def _kill(disturbance: Disturbance, victim: Process) -> None:
    """Kill the process, wait until it has worked again, and a little longer."""
    began = time.monotonic()
    disturbance.world.kill(victim)
    until(
        lambda: _has_worked(disturbance.world, victim),
        within_s=20,
        why=f"{victim.name} works again",
    )
    disturbance.times += 1
    disturbance.recover_s.append(time.monotonic() - began)
    print(f"{victim.name}: {disturbance.recover_s[-1]:.2f} s")
    Event().wait(disturbance.chance.uniform(0, 0.6))


def _has_worked(world: World, process: Process) -> bool:
    """Whether the process has worked since its start."""
    if process in WORK:
        return metric(world, process.name, WORK[process]) > 0
    try:
        url = world.installation.url(process) + process.health
        return httpx.get(url, timeout=2, trust_env=False, verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False
