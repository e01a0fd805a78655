"""Faults of Kafka: it is killed, does not answer for a while, and loses its log."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import pytest

from services.cli.processes import SCORING_API
from shared.kafka.admin import topic_ids
from shared.kafka.config import of
from tests.fault.processes import broker_of, instead, until_kafka_answers
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

AWAY_S = 60 if FULL else 8
TOPIC = "marketing.events"


def test_the_broker_is_killed_and_started_again(proof: Proof) -> None:
    with proof.disturb("kill -9 of Kafka", "broker-killed") as disturbance:
        for _ in range(3 if FULL else 1):
            disturbance.wait_for_flow()
            broker_of(disturbance.world).kill()
            disturbance.recovered(until_kafka_answers(disturbance.world))


def test_events_are_accepted_while_the_broker_is_away(proof: Proof) -> None:
    fault = f"Kafka does not answer for {AWAY_S} s"
    with proof.disturb(fault, "broker-away") as disturbance:
        disturbance.wait_for_flow()
        broker = broker_of(disturbance.world)
        broker.pause()
        back_at, accepted = time.monotonic() + AWAY_S, disturbance.sending.accepted
        until(lambda: time.monotonic() > back_at, within_s=AWAY_S + 5)
        assert disturbance.sending.accepted > accepted
        broker.resume()
        disturbance.recovered(until_kafka_answers(disturbance.world))
    assert disturbance.sending.refused == 0


def test_the_broker_loses_the_log_and_the_outbox_has_every_record(proof: Proof) -> None:
    """LEADBATON_KAFKA_KEEPS_LOG is false, as it must be for a broker that may lose its log."""
    running = proof.world.installation
    outbox_first = running.program(SCORING_API)
    environment = {**outbox_first.environment, "LEADBATON_KAFKA_KEEPS_LOG": "false"}
    with (
        instead(proof.world, SCORING_API, replace(outbox_first, environment=environment)),
        proof.disturb("Kafka's log wiped, topics made anew", "wiped") as disturbance,
    ):
        disturbance.wait_for_flow()
        before = topic_ids(of(running.stack.settings()), [TOPIC])
        _wipe(disturbance)
        disturbance.recovered(until_kafka_answers(disturbance.world))
        assert topic_ids(of(running.stack.settings()), [TOPIC]) != before


def _wipe(disturbance: Disturbance) -> None:
    disturbance.world.neglect()
    broker = broker_of(disturbance.world)
    broker.kill()
    if broker.keeps_log:
        shutil.rmtree(broker.directory / "log")
        (broker.directory / "server.properties").unlink()
    disturbance.world.maintain()
