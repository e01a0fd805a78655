"""Each process starts, answers its probes, does its work, and ends when asked to."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from services.alignment.queries.capacity import known_dates
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy
from shared.contracts.payloads import Change, ClockChange
from shared.contracts.topics import CAPACITY_PLANNED, HANDOFFS_CHANGED, LEADS_QUALIFIED, SLA_CHANGED
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from tests.builders import outgoing, sla_changed
from tests.engine import PATIENCE_S, producing, until
from tests.processes import running_process
from tests.services.alignment.builders import EVERYTHING, qualified, step, stored_facts
from tests.services.alignment.capacity import BEGIN, plan

pytestmark = pytest.mark.postgres
alignment = partial(running_process, "services.alignment")


def test_the_api_serves_until_asked_to_stop(database_url: str) -> None:
    with alignment("api", DATABASE_URL=database_url) as url:
        assert httpx.get(f"{url}/v1/alignment", timeout=PATIENCE_S).status_code == 401


def test_the_worker_reads_what_the_others_announce(
    database_url: str, sessions: Sessions, broker: KafkaConfig
) -> None:
    records = [
        outgoing(LEADS_QUALIFIED, qualified()),
        outgoing(HANDOFFS_CHANGED, step(Change.ASSIGNED)),
        outgoing(SLA_CHANGED, sla_changed(ClockChange.MET)),
        outgoing(CAPACITY_PLANNED, plan(), id="inbound/1"),
    ]
    with producing(broker) as producer:
        producer.send_all(records)

    def is_counted() -> bool:
        with sessions() as session:
            facts = stored_facts(session)
            met = [it.promises_met for it in funnels_by(session, EVERYTHING, GroupBy.TEAM)]
            planned = known_dates(session, BEGIN.date(), BEGIN.date()).dates
            is_assigned = [(it.is_announced, it.rep) for it in facts] == [(True, "grace")]
            return is_assigned and met == [1] and planned == 1

    kafka = {"KAFKA_BOOTSTRAP": broker.bootstrap[0], "KAFKA_KEEPS_LOG": "false"}
    with alignment(
        "worker", DATABASE_URL=database_url, KAFKA_SESSION_TIMEOUT_MS="2000", **kafka
    ) as url:
        until(is_counted)
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE_S).status_code == 200
