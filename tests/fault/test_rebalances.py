"""Workers join and leave their group, and one that was paused finds that another worker has done its batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.cli.processes import (
    RELAY,
    ROUTING_DELIVERY,
    ROUTING_WORKER,
    SCORING_WORKER,
    SLA_SWEEP,
    SLA_WORKER,
)
from tests.fault.audit import reading
from tests.fault.processes import (
    metric,
    one_more,
    pause,
    resume,
    waits_for_a_lock,
    without,
)
from tests.fault.proof import Disturbance, Proof
from tests.journey.world import until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

WORKERS = (RELAY, SCORING_WORKER, ROUTING_WORKER, ROUTING_DELIVERY, SLA_WORKER, SLA_SWEEP)
SECOND = "scoring-worker-1"
PAIR = (SCORING_WORKER.name, SECOND)


def test_two_of_every_worker_and_one_leaves_for_good(proof: Proof) -> None:
    with (
        proof.disturb("two of every worker; one joins, one leaves", "shared") as disturbance,
        reading(disturbance.world) as sessions,
        sessions() as session,
    ):
        disturbance.wait_for_flow()
        with one_more(disturbance.world, *WORKERS):
            _note_recovery(disturbance, session, *PAIR)
            with without(disturbance.world, SCORING_WORKER):
                _note_recovery(disturbance, session)
            _note_recovery(disturbance, session, *PAIR)
        _note_recovery(disturbance, session)


def _note_recovery(disturbance: Disturbance, session: Session, *workers: str) -> None:
    """After a member has joined or left, note how long it takes until these work and every partition is read."""
    began, before = time.monotonic(), _offsets(session)
    for name in workers:
        until(partial(_works, disturbance, name), why=f"{name} has partitions")
    until(lambda: _moved_everywhere(session, before), why="every partition is read")
    disturbance.times += 1
    disturbance.recover_s.append(time.monotonic() - began)


def _works(disturbance: Disturbance, worker: str) -> bool:
    return metric(disturbance.world, worker, "leadbaton_consumed_records_total") > 0


def test_a_worker_that_was_paused_past_the_session_time_out_is_fenced(proof: Proof) -> None:
    with (
        proof.disturb("a worker paused past its session (6 s)", "zombie") as disturbance,
        one_more(disturbance.world, SCORING_WORKER),
        reading(disturbance.world) as sessions,
        sessions() as session,
    ):
        with _paused_before_it_writes(disturbance, session):
            _note_recovery(disturbance, session)
        until(
            lambda: metric(disturbance.world, SECOND, "leadbaton_fenced_batches_total") > 0,
            why="its transaction is fenced",
        )


@contextmanager
def _paused_before_it_writes(disturbance: Disturbance, session: Session) -> Iterator[None]:
    """Pause the worker in a transaction that has read its batch and holds no locks yet."""

    def waits() -> bool:
        session.rollback()
        session.execute(text("lock table scoring.identities in access exclusive mode"))
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if waits_for_a_lock(session, SECOND):
                return True
        return False

    until(waits, within_s=60, why="the worker is in the middle of a batch")
    pause(disturbance.world, SECOND)
    session.rollback()
    try:
        yield
    finally:
        resume(disturbance.world, SECOND)


_OFFSETS = text("""
    select partition, max(next_offset) as next_offset from messaging.offsets
    where consumer_group = 'leadbaton.scoring' and topic = 'marketing.events'
        and topic_id = (
            select topic_id from messaging.offsets
            where consumer_group = 'leadbaton.scoring' and topic = 'marketing.events'
            order by updated_at desc limit 1
        )
    group by partition
""")


def _offsets(session: Session) -> dict[int, int]:
    return {row.partition: row.next_offset for row in session.execute(_OFFSETS)}


def _moved_everywhere(session: Session, before: Mapping[int, int]) -> bool:
    session.rollback()
    now = _offsets(session)
    return all(now[partition] > next_offset for partition, next_offset in before.items())
