"""Processes of the installation: starts, ends and pauses them, and reads their metrics."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.cli.processes import Process
from shared.embedded.broker import Broker
from shared.embedded.supervisor import Program
from shared.kafka.admin import topic_ids
from shared.kafka.config import of
from shared.kafka.errors import BrokerAway
from tests.journey.world import World, until
from tests.kafka.server import ApacheKafka
from tests.loopback import NO_TLS


def join(world: World, *programs: Program) -> None:
    """Start more processes and wait until they are ready."""
    world.neglect()
    for program in programs:
        world.installation.supervisor.add(program)
    world.maintain()
    for program in programs:
        until(partial(_ready, str(program.probe)), why=f"{program.name} ready")


def leave(world: World, name: str) -> None:
    """End the process for good."""
    world.neglect()
    assert world.installation.supervisor.end(name), f"{name} had to be killed"
    world.maintain()


@contextmanager
def one_more(world: World, *processes: Process) -> Iterator[list[str]]:
    """Run one more process of each kind while the block runs; give their names."""
    programs = [world.installation.program(it, 1) for it in processes]
    join(world, *programs)
    try:
        yield [it.name for it in programs]
    finally:
        for program in programs:
            leave(world, program.name)


@contextmanager
def without(world: World, process: Process) -> Iterator[None]:
    """Run no process of this kind while the block runs."""
    leave(world, process.name)
    try:
        yield
    finally:
        join(world, world.installation.program(process))


@contextmanager
def instead(world: World, process: Process, program: Program) -> Iterator[None]:
    """Run another program in the place of this process while the block runs."""
    with without(world, process):
        join(world, program)
        try:
            yield
        finally:
            leave(world, program.name)


def pause(world: World, name: str) -> None:
    """Pause the process with SIGSTOP."""
    _signal(world, name, signal.SIGSTOP)


def resume(world: World, name: str) -> None:
    """Resume the process with SIGCONT."""
    _signal(world, name, signal.SIGCONT)


def _signal(world: World, name: str, number: signal.Signals) -> None:
    pid = world.installation.supervisor.pid(name)
    assert pid is not None
    os.kill(pid, number)


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False, verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False


def metric(world: World, name: str, metric: str) -> float:
    """The sum of a metric of this process over its labels; -1 while the process does not answer."""
    url = f"http://127.0.0.1:{world.installation.ports[name]}/metrics"
    try:
        lines = httpx.get(url, timeout=2, trust_env=False, verify=NO_TLS).text.splitlines()
    except httpx.TransportError:
        return -1
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


def resident_bytes(world: World, process: Process) -> int:
    """The resident memory of the process."""
    pid = world.installation.supervisor.pid(process.name)
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - no real file
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def broker_of(world: World) -> ApacheKafka | Broker:
    """The broker, with the methods that kill and pause it."""
    broker = world.installation.stack.broker
    assert isinstance(broker, ApacheKafka | Broker)
    return broker


def keeps_log(world: World) -> bool:
    """Whether the broker has its log again after a restart."""
    return world.installation.stack.broker.keeps_log


def until_kafka_answers(world: World) -> float:
    """Wait until Kafka has its topics; return the monotonic time."""

    def answers() -> bool:
        try:
            return "marketing.events" in topic_ids(
                of(world.installation.stack.settings()), ["marketing.events"]
            )
        except BrokerAway:
            return False

    until(answers, within_s=180, why="Kafka answers")
    return time.monotonic()


_BACKENDS = """
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like :name
"""


def cut_connections(session: Session, name: str = "leadbaton-%") -> int:
    """Cut the database connections of these processes; return how many there were."""
    return len(_backends(session, f"select pg_terminate_backend(pid) {_BACKENDS}", name))


def waits_for_a_lock(session: Session, name: str) -> bool:
    """Whether a transaction of this process waits for a lock now."""
    waiting = f"select pid {_BACKENDS} and wait_event_type = 'Lock'"
    return bool(_backends(session, waiting, f"leadbaton-{name}"))


def _backends(session: Session, statement: str, name: str) -> Sequence[object]:
    session.execute(
        text("select pg_stat_clear_snapshot()")
    )  # a transaction would see its first snapshot again
    return session.execute(text(statement), {"name": name}).all()
