"""Tests of the embedded broker: start, loss of its log, pause and end."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from shared.embedded.broker import Broker
from shared.embedded.postgres import free_port
from shared.errors import Unavailable
from shared.kafka.admin import create_topics, topic_ids
from tests.conftest import kafka_on


def test_topics_are_made_once_and_are_others_after_a_restart(embedded_broker: Broker) -> None:
    config = kafka_on(embedded_broker)
    created = create_topics(config)
    assert "marketing.events" in created
    assert "marketing.events.dead" in created
    assert create_topics(config) == []
    before = topic_ids(config, ["marketing.events", "no.such.topic"])
    assert before.keys() == {"marketing.events"}

    embedded_broker.stop()
    embedded_broker.start()
    assert topic_ids(config, ["marketing.events"]) == {}
    create_topics(config)
    assert topic_ids(config, ["marketing.events"]) != before


def test_a_paused_broker_is_alive_and_ends_when_asked(embedded_broker: Broker) -> None:
    assert embedded_broker.running()
    assert embedded_broker.pid is not None
    embedded_broker.pause()
    assert embedded_broker.running()
    embedded_broker.stop()
    assert not embedded_broker.running()
    assert embedded_broker.pid is None


def test_one_that_never_started_is_ended_easily(tmp_path: Path) -> None:
    broker = Broker(tmp_path, free_port())
    broker.pause()
    broker.kill()
    broker.stop()
    assert not broker.running()


def test_an_address_that_the_broker_cannot_have_is_reported_in_the_brokers_words(
    tmp_path: Path,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="did not start"):
            Broker(tmp_path, listener.getsockname()[1]).start()


def test_another_program_on_the_port_is_not_mistaken_for_the_broker(
    tmp_path: Path, embedded_broker: Broker
) -> None:
    with pytest.raises(Unavailable, match="taken"):
        Broker(tmp_path, embedded_broker.port).start()
