"""What the engine counts: records, batches, dead letters, and how far the outbox and the readers are behind."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from shared.messaging.batch import Portion
from shared.messaging.dead_letters import DeadLetter

CONSUMED = Counter("leadbaton_consumed_records", "Records done and committed.", ["group", "topic"])
BATCH_RECORDS = Histogram(
    "leadbaton_batch_records",
    "Records in one transaction.",
    ["group"],
    buckets=(1, 5, 20, 100, 500, 1_000, 2_000, 5_000),
)
BATCH_SECONDS = Histogram("leadbaton_batch_seconds", "From poll to commit.", ["group"])
DEAD_LETTERS = Counter("leadbaton_dead_letters", "Records given up.", ["group", "topic", "code"])
DEAD_LETTERS_WAITING = Gauge(
    "leadbaton_dead_letters_waiting",
    "Records given up and not replayed, by why.",
    ["topic", "code"],
)
FENCED = Counter(
    "leadbaton_fenced_batches", "Batches refused: somebody else had done them.", ["group"]
)
OUTAGES = Counter(
    "leadbaton_consumer_outages", "Batches put off until a service is back.", ["group"]
)
LAG = Gauge(
    "leadbaton_lag_records",
    "Records that the group has not done, by the offsets in PostgreSQL.",
    ["group", "topic", "partition"],
)
LAG_SECONDS = Gauge(
    "leadbaton_lag_oldest_seconds",
    "Age of the first record that the group has not done, by the time that the record carries.",
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
    group: str, portions: Sequence[Portion], dead_letters: Sequence[DeadLetter], seconds: float
) -> None:
    """Count a committed batch."""
    for portion in portions:
        CONSUMED.labels(group, portion.subscription.topic.name).inc(len(portion.items))
    for letter in dead_letters:
        DEAD_LETTERS.labels(group, letter.record.topic, letter.code).inc()
    BATCH_RECORDS.labels(group).observe(sum(len(portion.items) for portion in portions))
    BATCH_SECONDS.labels(group).observe(seconds)
