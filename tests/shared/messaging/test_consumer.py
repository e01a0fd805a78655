"""Every event is processed once, whatever happens to workers, broker and database."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message
from shared.db.session import Sessions
from shared.embedded.broker import Broker
from shared.embedded.postgres import PostgresServer
from shared.errors import Unavailable
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging import outbox
from shared.messaging.consumer import TICK_S, Pause
from tests.conftest import ROOT, kafka_on
from tests.engine import (
    Ledger,
    append_to_outbox,
    dead_letter_codes,
    each_once,
    events,
    ids,
    producing,
    running_relay,
    running_worker,
    until,
)

pytestmark = pytest.mark.postgres


def test_a_worker_goes_on_where_the_last_one_ended(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    producer.send_all(events(200))
    with running_worker(sessions, broker, ledger):
        ledger.wait_for(ids(200))
    producer.send_all(events(100, start=200))
    with running_worker(sessions, broker, ledger):
        ledger.wait_for(ids(300))
    assert ledger.effect_counts() == each_once(300)
    assert ledger.handled_count == 300


def test_two_workers_share_the_work(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    with running_worker(sessions, broker, ledger) as first:
        first.wait()
        producer.send_all(events(100))
        with running_worker(sessions, broker, ledger) as second:
            second.wait()
            producer.send_all(events(100, start=100))
            ledger.wait_for(ids(200))
        producer.send_all(events(100, start=200))
        ledger.wait_for(ids(300))
    assert ledger.effect_counts() == each_once(300)


@pytest.mark.fault
def test_a_paused_worker_that_resumes_is_fenced(
    database_url: str, sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    producer.send_all(events(30))
    command = [sys.executable, "-W", "ignore", "-m", "tests.shared.messaging.paused_worker"]
    with subprocess.Popen(
        [*command, database_url, broker.bootstrap[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as zombie:
        assert zombie.stdin is not None
        lines = (line.strip() for line in zombie.stdout or ())
        assert any(line == "handling" for line in lines)
        zombie.send_signal(signal.SIGSTOP)
        with running_worker(sessions, broker, ledger):
            ledger.wait_for(ids(30))
        zombie.send_signal(signal.SIGCONT)
        zombie.stdin.close()
        assert any(line == "fenced" for line in lines)
    assert ledger.effect_counts() == each_once(30)


def test_an_unavailable_service_is_waited_for_and_makes_no_dead_letters(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    producer.send_all(events(20))
    away = iter(range(3))

    def waiting(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        if next(away, None) is not None:
            raise Unavailable("no agreement is published yet")

    with running_worker(sessions, broker, waiting):
        ledger.wait_for(ids(20))
    assert ledger.effect_counts() == each_once(20)
    assert dead_letter_codes(sessions) == []


@pytest.mark.fault
def test_a_worker_goes_on_after_a_crash_of_the_database(
    mortal_postgres: PostgresServer,
    mortal_sessions: Sessions,
    broker: KafkaConfig,
    producer: Producer,
) -> None:
    ledger = Ledger(mortal_sessions)
    producer.send_all(events(20))
    with running_worker(mortal_sessions, broker, ledger):
        ledger.wait_for(ids(20))
        mortal_postgres.stop("immediate")
        producer.send_all(events(20, start=20))
        mortal_postgres.start()
        ledger.wait_for(ids(40))
    assert ledger.effect_counts() == each_once(40)


@pytest.mark.fault
def test_the_broker_is_silent_for_longer_than_a_session(
    sessions: Sessions,
    broker: KafkaConfig,
    embedded_broker: Broker,
    producer: Producer,
    ledger: Ledger,
) -> None:
    producer.send_all(events(20))
    ticks = threading.Semaphore(0)
    with running_worker(sessions, broker, ledger, tick=lambda _session, _now: ticks.release()):
        ledger.wait_for(ids(20))
        embedded_broker.pause()
        for _ in range(3):
            assert ticks.acquire(timeout=10)
        embedded_broker.resume()
        until(producer.ready)
        producer.send_all(events(20, start=20))
        ledger.wait_for(ids(40))
    assert ledger.effect_counts() == each_once(40)


@pytest.mark.fault
def test_after_a_broker_has_lost_its_log_every_event_is_processed(
    sessions: Sessions,
    broker: KafkaConfig,
    embedded_broker: Broker,
    producer: Producer,
    ledger: Ledger,
) -> None:
    with running_relay(sessions, producer, broker):
        with running_worker(sessions, broker, ledger):
            append_to_outbox(sessions, events(50))
            ledger.wait_for(ids(50))
        append_to_outbox(sessions, events(25, start=50))
        until(lambda: _unpublished(sessions) == 0)

        embedded_broker.kill()
        embedded_broker.start()
        append_to_outbox(sessions, events(25, start=75))
        with running_worker(sessions, broker, ledger):
            ledger.wait_for(ids(100))

    assert ledger.effect_counts() == each_once(100)


@pytest.mark.fault
def test_when_a_broker_loses_its_log_while_workers_read_every_event_is_processed(
    sessions: Sessions,
    broker: KafkaConfig,
    embedded_broker: Broker,
    producer: Producer,
    ledger: Ledger,
) -> None:
    with running_relay(sessions, producer, broker), running_worker(sessions, broker, ledger):
        append_to_outbox(sessions, events(50))
        ledger.wait_for(ids(50))
        embedded_broker.kill()
        append_to_outbox(sessions, events(25, start=50))
        embedded_broker.start()
        append_to_outbox(sessions, events(25, start=75))
        ledger.wait_for(ids(100))


def _unpublished(sessions: Sessions) -> int:
    with sessions() as session:
        return outbox.backlog(session).rows


@pytest.mark.fault
def test_a_worker_ticks_without_a_broker_and_reads_when_there_is_one(
    sessions: Sessions, embedded_broker: Broker, ledger: Ledger
) -> None:
    embedded_broker.stop()
    config = kafka_on(embedded_broker)
    ticked = threading.Event()
    with running_worker(
        sessions, config, ledger, tick=lambda _session, _now: ticked.set()
    ) as ready:
        assert ticked.wait(20)
        assert not ready.is_set()
        embedded_broker.start()
        create_topics(config)
        with producing(config) as producer:
            producer.send_all(events(10))
        ledger.wait_for(ids(10))
        assert ready.is_set()
    assert ledger.effect_counts() == each_once(10)


def test_a_tick_with_more_to_do_is_called_again_at_once(
    sessions: Sessions, broker: KafkaConfig, ledger: Ledger
) -> None:
    ticks = threading.Semaphore(0)

    def tick(_session: Session, _now: datetime) -> bool:
        ticks.release()
        return True

    with running_worker(sessions, broker, ledger, tick=tick):
        assert ticks.acquire(timeout=20)
        began_s = time.monotonic()
        for _ in range(9):
            assert ticks.acquire(timeout=10)
    assert time.monotonic() - began_s < 9 * TICK_S


def test_a_tick_that_meets_an_outage_is_tried_again(
    sessions: Sessions, broker: KafkaConfig, ledger: Ledger
) -> None:
    ticked = threading.Event()
    away = iter(range(2))

    def tick(_session: Session, _now: datetime) -> None:
        if next(away, None) is not None:
            raise Unavailable("away")
        ticked.set()

    with running_worker(sessions, broker, ledger, tick=tick):
        assert ticked.wait(20)


def test_pauses_grow_up_to_a_limit_and_begin_small_again() -> None:
    pause = Pause()
    lengths = []
    for _ in range(8):
        pause.begin()
        lengths.append(pause.length_s)
    assert lengths == [0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0]
    assert pause.is_active()
    pause.reset()
    pause.begin()
    assert pause.length_s == 0.1
