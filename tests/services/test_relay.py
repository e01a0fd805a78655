"""The relay as a process: publishes what is committed, and ends when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.db.session import Sessions
from shared.embedded.broker import Broker
from shared.kafka.config import KafkaConfig
from shared.messaging import outbox
from tests.conftest import ROOT
from tests.engine import append_to_outbox, events, until

pytestmark = [pytest.mark.postgres, pytest.mark.fault]


@contextmanager
def relay_process(database_url: str, bootstrap: str) -> Iterator[subprocess.Popen[bytes]]:
    env = {
        **os.environ,
        "LEADBATON_DATABASE_URL": database_url,
        "LEADBATON_KAFKA_BOOTSTRAP": bootstrap,
        "LEADBATON_KAFKA_KEEPS_LOG": "false",
        "LEADBATON_KAFKA_PARTITIONS": "3",
    }
    command = [sys.executable, "-m", "services.cli", "relay"]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def unpublished(sessions: Sessions) -> int:
    with sessions() as session:
        return outbox.backlog(session).rows


def test_it_publishes_and_ends_on_sigterm(
    database_url: str, sessions: Sessions, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, events(100))
    with relay_process(database_url, broker.bootstrap[0]) as relay:
        until(lambda: unpublished(sessions) == 0)
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0


def test_it_ends_on_sigterm_while_kafka_is_silent(
    database_url: str, sessions: Sessions, broker: KafkaConfig, embedded_broker: Broker
) -> None:
    with relay_process(database_url, broker.bootstrap[0]) as relay:
        append_to_outbox(sessions, events(10))
        until(lambda: unpublished(sessions) == 0)
        embedded_broker.pause()
        append_to_outbox(sessions, events(10, start=10))
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0
    assert unpublished(sessions) == 10


def test_one_that_is_killed_is_replaced_without_loss(
    database_url: str, sessions: Sessions, broker: KafkaConfig
) -> None:
    with (
        relay_process(database_url, broker.bootstrap[0]) as first,
        relay_process(database_url, broker.bootstrap[0]),
    ):
        append_to_outbox(sessions, events(500))
        until(lambda: unpublished(sessions) < 500)
        first.kill()
        append_to_outbox(sessions, events(500, start=500))
        until(lambda: unpublished(sessions) == 0)
