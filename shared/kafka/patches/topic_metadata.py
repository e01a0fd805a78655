"""kafka-python 3.0.12: clients have no public methods for the metadata of topics that they hold.

A consumer has the ids of its topics and no method that returns them, and none that says when Kafka answered last: while
Kafka is away, a poll returns nothing, as it does while nothing happens. A producer asks for one topic after the other,
each with a request and a wait of its own (`partitions_for`), and has no method that returns the topics it has.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

from kafka import KafkaConsumer, KafkaProducer


def topic_id(consumer: KafkaConsumer, topic: str) -> UUID | None:
    """The id of the topic's log, if the consumer has it."""
    known: UUID | None = consumer._cluster.topic_id(topic)  # noqa: SLF001
    return known


def metadata_age_s(consumer: KafkaConsumer) -> float:
    """Seconds since Kafka last answered the consumer's request for metadata."""
    answered_ms: float = consumer._cluster._last_successful_refresh_ms  # noqa: SLF001
    return time.monotonic() - answered_ms / 1_000


def add_topics(producer: KafkaProducer, topics: Iterable[str]) -> None:
    """Let the producer's next request for metadata ask for all of these at once."""
    for topic in topics:
        producer._sender.add_topic(topic)  # noqa: SLF001


def known_partitions(producer: KafkaProducer, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has, of the topics that the producer has metadata of."""
    known = {topic: producer._metadata.partitions_for_topic(topic) for topic in topics}  # noqa: SLF001
    return {topic: len(partitions) for topic, partitions in known.items() if partitions}
