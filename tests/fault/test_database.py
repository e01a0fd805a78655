"""Faults of PostgreSQL: crashes, cut connections, locks, and an outage together with Kafka."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.cli.processes import SCORING_API
from shared.db.session import Sessions
from tests.fault.audit import reading
from tests.fault.processes import (
    broker_of,
    cut_connections,
    metric,
    resident_bytes,
    until_kafka_answers,
)
from tests.fault.proof import Proof
from tests.fault.stream import FULL, SENDERS
from tests.fault.table import Line
from tests.journey.world import World, event, until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

LOCKED_S = 7
"""Longer than a statement waits for a lock (`lock_timeout`)."""
REFUSALS = 50_000 if FULL else 4_000
FLAT_BYTES = 10_000_000


def test_postgresql_crashes(proof: Proof) -> None:
    with proof.disturb("PostgreSQL crashes", "crash") as disturbance:
        for _ in range(2):
            disturbance.wait_for_flow()
            disturbance.world.crash_database()
            disturbance.recovered(_until_postgres_answers(disturbance.world))


def test_all_connections_are_cut(proof: Proof) -> None:
    times = 12 if FULL else 4
    with (
        proof.disturb("all database connections cut", "cut") as disturbance,
        reading(disturbance.world) as sessions,
    ):
        disturbance.wait_for_flow()
        for _ in range(times):
            with sessions() as session:
                until(lambda: cut_connections(session) > 0, why="somebody is connected")
            disturbance.recovered(time.monotonic())


def test_a_statement_waits_for_a_lock_past_the_time_out(proof: Proof) -> None:
    with (
        proof.disturb(f"tables locked for {LOCKED_S} s", "locked") as disturbance,
        reading(disturbance.world) as sessions,
    ):
        disturbance.wait_for_flow()
        _lock_tables(sessions)
        outages = "leadbaton_consumer_outages_total"
        assert metric(disturbance.world, "scoring-worker", outages) > 0
        disturbance.recovered(time.monotonic())


def _lock_tables(sessions: Sessions) -> None:
    with sessions() as session:
        for table in ("scoring.leads", "routing.handoffs", "sla.clocks"):
            _lock(session, table)
        end = time.monotonic() + LOCKED_S
        until(lambda: time.monotonic() > end)


def _lock(session: Session, table: str) -> None:
    session.execute(text(f"lock table {table} in access exclusive mode"))


def test_while_both_servers_are_away_senders_are_asked_to_retry(proof: Proof) -> None:
    """Senders get 503 with Retry-After meanwhile, and the memory of the API does not grow."""
    with proof.disturb("Kafka and PostgreSQL away", "both") as disturbance:
        disturbance.wait_for_flow()
        disturbance.world.neglect()
        broker_of(disturbance.world).pause()
        disturbance.world.installation.stack.postgres.stop("immediate")
        until(lambda: disturbance.sending.refused > 0, why="the first is refused")
        _refused(disturbance.world, REFUSALS // 10)
        before = resident_bytes(disturbance.world, SCORING_API)
        _refused(disturbance.world, REFUSALS)
        grown = resident_bytes(disturbance.world, SCORING_API) - before
        broker_of(disturbance.world).resume()
        disturbance.world.maintain()
        disturbance.recovered(
            max(_until_postgres_answers(disturbance.world), until_kafka_answers(disturbance.world))
        )
    proof.lines[-1] = _with_suffix(
        proof.lines[-1], f", {REFUSALS:,} posts refused ({grown:+,} bytes)"
    )
    assert grown < FLAT_BYTES


def _with_suffix(line: Line, suffix: str) -> Line:
    return Line(
        line.fault + suffix,
        line.times,
        line.lost,
        line.doubled,
        line.longest_pause_s,
        line.recover_s,
    )


def _refused(world: World, posts: int) -> None:
    """Post so often, from all senders at the same time, and expect each post to be refused."""
    with ThreadPoolExecutor(SENDERS) as senders:
        results = senders.map(lambda it: _post(world, it, posts // SENDERS), range(SENDERS))
        answers = {answer for some in results for answer in some}
    assert {status for status, _ in answers} == {503}
    assert all(int(retry_after) > 0 for _, retry_after in answers)


def _post(world: World, sender: int, posts: int) -> set[tuple[int, str]]:
    body = orjson.dumps(event("refused@stream.example.com", "page_viewed", f"{sender}"))
    headers = {
        "authorization": f"Bearer {world.keys[f'site-{sender}']}",
        "content-type": "application/json",
    }
    client = HTTPConnection(urlsplit(world.installation.url(SCORING_API)).netloc, timeout=15)
    answers: set[tuple[int, str]] = set()
    for _ in range(posts):
        client.request("POST", "/v1/events", body, headers)
        answer = client.getresponse()
        answer.read()
        answers.add((answer.status, answer.headers.get("retry-after", "0")))
    client.close()
    return answers


def _until_postgres_answers(world: World) -> float:
    def answers() -> bool:
        try:
            with reading(world) as sessions, sessions() as session:
                return bool(session.scalar(text("select 1")))
        except DBAPIError:
            return False

    until(answers, within_s=60, why="PostgreSQL answers")
    return time.monotonic()
