"""Settings become what Kafka's clients need."""

from __future__ import annotations

from shared.kafka import config
from shared.process.settings import Settings


def test_bootstrap_servers_are_separated_by_commas() -> None:
    settings = Settings(kafka_bootstrap="one:9092, two:9092", kafka_keeps_log=False)
    kafka = config.of(settings)
    assert kafka.bootstrap == ("one:9092", "two:9092")
    assert not kafka.keeps_log
