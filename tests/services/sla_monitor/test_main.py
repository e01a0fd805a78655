"""Each process starts, answers its probes, does its work, and leaves when asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from shared.contracts.payloads import Change
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.session import Sessions
from shared.embedded.postgres import free_port
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.builders import outgoing
from tests.engine import until
from tests.services.sla_monitor.promises import TOUCH, publishing, said, saved, step

pytestmark = pytest.mark.postgres


@contextmanager
def process(name: str, **environment: str) -> Iterator[str]:
    """One of this service's processes while it is ready; it leaves with 0 when the block ends."""
    port = str(free_port())
    settings = {**environment, "PORT": port, "PROBE_PORT": port}
    code = f"from services.sla_monitor import main; from shared.settings import Settings; main.{name}(Settings())"
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {f"LEADBATON_{key}": value for key, value in settings.items()},
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: running.poll() is not None or _ready(url))
        yield url
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    finally:
        running.kill()
        running.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_the_api_serves_until_asked_to_stop(database_url: str) -> None:
    with process("api", DATABASE_URL=database_url) as url:
        assert httpx.get(f"{url}/v1/sla/breaches").status_code == 401


def test_the_sweep_answers_its_probes(database_url: str) -> None:
    with process("sweep", DATABASE_URL=database_url) as url:
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert "leadbaton_sla_overdue_timers 0.0" in httpx.get(f"{url}/metrics").text


def test_the_worker_starts_the_clocks_of_handoffs(
    database_url: str, sessions: Sessions, broker: KafkaConfig
) -> None:
    with sessions.begin() as session:
        publishing(session, TOUCH)
    producer = Producer(broker)
    until(producer.ready)
    producer.send_all([outgoing(HANDOFFS_CHANGED, step(Change.ASSIGNED))])
    producer.close()

    def started() -> bool:
        with sessions() as session:
            return set(saved(session)) == {"touch/1"}

    kafka = {"KAFKA_BOOTSTRAP": broker.bootstrap[0], "KAFKA_KEEPS_LOG": "false"}
    with process(
        "worker", DATABASE_URL=database_url, KAFKA_SESSION_TIMEOUT_MS="2000", **kafka
    ) as url:
        until(started)
        assert httpx.get(f"{url}/healthz").status_code == 200
    with sessions() as session:
        assert [it.change.value for it in said(session)] == ["started"]
