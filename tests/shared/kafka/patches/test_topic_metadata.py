"""The metadata of topics that clients hold."""

from __future__ import annotations

from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer

from shared.contracts.topics import MARKETING_EVENTS
from shared.kafka.admin import topic_ids
from shared.kafka.config import KafkaConfig
from shared.kafka.patches import topic_metadata

TOPIC = MARKETING_EVENTS.name


@pytest.mark.parametrize(
    ("kind", "word"),
    [(KafkaConsumer, "topic_id"), (KafkaProducer, "add_topic"), (KafkaProducer, "topics")],
)
def test_the_unpatched_clients_have_no_method_for_it(kind: type, word: str) -> None:
    """A function of the patch is no longer needed when this fails."""
    assert [it for it in dir(kind) if not it.startswith("_") and word in it] == []


def test_the_metadata_is_read(broker: KafkaConfig) -> None:
    consumer = KafkaConsumer(TOPIC, bootstrap_servers=list(broker.bootstrap), metrics_enabled=False)
    with closing(consumer):
        consumer.partitions_for_topic(TOPIC)
        assert topic_metadata.topic_id(consumer, TOPIC) == topic_ids(broker, [TOPIC])[TOPIC]
    with closing(KafkaProducer(bootstrap_servers=list(broker.bootstrap))) as producer:
        topic_metadata.add_topics(producer, [TOPIC])
        producer.partitions_for(TOPIC)
        known = topic_metadata.known_partitions(producer, [TOPIC, "no.such.topic"])
    assert known == {TOPIC: broker.partitions}
