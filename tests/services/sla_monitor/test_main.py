"""Each process starts, answers its probes, does its work, and ends when asked to."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from shared.contracts.payloads import Change
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from tests.builders import outgoing
from tests.engine import PATIENCE_S, producing, until
from tests.processes import running_process
from tests.services.sla_monitor.builders import (
    TOUCH,
    announced_changes,
    publish_policies,
    step,
    stored_clocks,
)

pytestmark = pytest.mark.postgres
sla = partial(running_process, "services.sla_monitor")


def test_the_api_serves_until_asked_to_stop(database_url: str) -> None:
    with sla("api", DATABASE_URL=database_url) as url:
        assert httpx.get(f"{url}/v1/sla/breaches", timeout=PATIENCE_S).status_code == 401


def test_the_sweep_answers_probes(database_url: str) -> None:
    with sla("sweep", DATABASE_URL=database_url) as url:
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE_S).status_code == 200

        def has_turned() -> bool:
            metrics = httpx.get(f"{url}/metrics", timeout=PATIENCE_S).text
            assert "leadbaton_sla_overdue_timers 0.0" in metrics
            return 'leadbaton_loop_turned_timestamp_seconds{loop="sweep"} 1' in metrics

        until(has_turned)


def test_the_worker_starts_the_clocks_of_handoffs(
    database_url: str, sessions: Sessions, broker: KafkaConfig
) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
    with producing(broker) as producer:
        producer.send_all([outgoing(HANDOFFS_CHANGED, step(Change.ASSIGNED))])

    def started() -> bool:
        with sessions() as session:
            return set(stored_clocks(session)) == {"touch/1"}

    kafka = {"KAFKA_BOOTSTRAP": broker.bootstrap[0], "KAFKA_KEEPS_LOG": "false"}
    with sla("worker", DATABASE_URL=database_url, KAFKA_SESSION_TIMEOUT_MS="2000", **kafka) as url:
        until(started)
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE_S).status_code == 200
    with sessions() as session:
        assert [it.change.value for it in announced_changes(session)] == ["started"]
