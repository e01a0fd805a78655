"""Metrics of messaging: records, batches, dead letters, and how far the outbox and the groups are behind."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from shared.messaging.batch import TopicBatch
from shared.messaging.dead_letters import DeadLetter

CONSUMED = Counter(
    "leadbaton_consumed_records", "Records processed and committed.", ["group", "topic"]
)
BATCH_RECORDS = Histogram(
    "leadbaton_batch_records",
    "Records in one transaction.",
    ["group"],
    buckets=(1, 5, 20, 100, 500, 1_000, 2_000, 5_000),
)
BATCH_SECONDS = Histogram(
    "leadbaton_batch_seconds", "Seconds from the first handler to the commit of a batch.", ["group"]
)
DEAD_LETTERS = Counter(
    "leadbaton_dead_letters", "Records that became dead letters.", ["group", "topic", "code"]
)
DEAD_LETTERS_WAITING = Gauge(
    "leadbaton_dead_letters_waiting",
    "Dead letters that are not replayed.",
    ["topic", "code"],
)
FENCED = Counter(
    "leadbaton_fenced_batches",
    "Batches rolled back because another worker had moved the offsets.",
    ["group"],
)
OUTAGES = Counter(
    "leadbaton_consumer_outages",
    "Batches rolled back because PostgreSQL or another service was away.",
    ["group"],
)
LAG = Gauge(
    "leadbaton_lag_records",
    "Records that the group has not processed, by the offsets in PostgreSQL.",
    ["group", "topic", "partition"],
)
LAG_SECONDS = Gauge(
    "leadbaton_lag_oldest_seconds",
    "Age of the first record that the group has not processed, by the time at which it was written.",
    ["group", "topic", "partition"],
)
PUBLISHED = Counter("leadbaton_outbox_published", "Outbox rows acknowledged by Kafka.", ["topic"])
UNPUBLISHED = Gauge("leadbaton_outbox_unpublished", "Outbox rows that Kafka has not acknowledged.")
KEPT = Gauge(
    "leadbaton_outbox_kept",
    "Outbox rows that Kafka has not acknowledged or that some group has not read; PostgreSQL's estimate.",
)
OLDEST_SECONDS = Gauge(
    "leadbaton_outbox_oldest_seconds", "Age of the oldest row that Kafka has not acknowledged."
)


def batch_done(
    group: str,
    topic_batches: Sequence[TopicBatch],
    dead_letters: Sequence[DeadLetter],
    seconds: float,
) -> None:
    """Count a committed batch."""
    for topic_batch in topic_batches:
        CONSUMED.labels(group, topic_batch.subscription.topic.name).inc(len(topic_batch.records))
    for dead_letter in dead_letters:
        DEAD_LETTERS.labels(group, dead_letter.record.topic, dead_letter.code).inc()
    BATCH_RECORDS.labels(group).observe(sum(len(it.records) for it in topic_batches))
    BATCH_SECONDS.labels(group).observe(seconds)
