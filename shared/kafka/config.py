"""The configuration of Kafka's clients, from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.kafka.security import Options, options_of
from shared.process.settings import Settings


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """How Kafka is reached, and how its topics and sessions are set up."""

    bootstrap: tuple[str, ...]
    keeps_log: bool
    partitions: int
    replication: int
    session_timeout_ms: int
    max_poll_records: int = 2_000
    security: Options = field(default_factory=dict, repr=False)
    """The options of every client for TLS and SASL. They hold secrets, so they are not part of the repr."""


def of(settings: Settings) -> KafkaConfig:
    """The part of the settings that is about Kafka. Raises BadKafkaSettings."""
    return KafkaConfig(
        bootstrap=tuple(part.strip() for part in settings.kafka_bootstrap.split(",")),
        keeps_log=settings.kafka_keeps_log,
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        security=options_of(settings),
    )
