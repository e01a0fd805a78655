"""How far the outbox and the groups are behind: measured by the relay, so that it is known while no worker runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.clock import TimeSource
from shared.contracts.topic import LogPartition
from shared.contracts.topics import TOPICS
from shared.db.session import Sessions
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig
from shared.kafka.oldest import oldest_unread
from shared.messaging import dead_letters, metrics, offsets, outbox


@dataclass(frozen=True, slots=True)
class Behind:
    """What a group has not done of one partition."""

    group: str
    log_partition: LogPartition
    records: int
    oldest_at: datetime | None
    """When the first of them was written; None where it could not be read."""

    def age_s(self, now: datetime) -> float:
        """How long the first of them has waited."""
        return 0.0 if self.oldest_at is None else max((now - self.oldest_at).total_seconds(), 0.0)


def set_gauges(sessions: Sessions, config: KafkaConfig, time_source: TimeSource) -> None:
    """Set the gauges of the database, then those of Kafka, which may be away. Raises an outage."""
    with sessions() as session:
        backlog = outbox.backlog(session)
        kept = outbox.kept(session)
        dead = dead_letters.count_unreplayed_by_code(session)
    metrics.UNPUBLISHED.set(backlog.rows)
    metrics.KEPT.set(kept)
    metrics.OLDEST_SECONDS.set(backlog.age_s(time_source()))
    metrics.DEAD_LETTERS_WAITING.clear()
    for (topic, code), count in dead.items():
        metrics.DEAD_LETTERS_WAITING.labels(topic, code).set(count)
    for lag in behind(sessions, config):
        labels = (lag.group, lag.log_partition.topic, lag.log_partition.partition)
        metrics.LAG.labels(*labels).set(lag.records)
        metrics.LAG_SECONDS.labels(*labels).set(lag.age_s(time_source()))


def behind(sessions: Sessions, config: KafkaConfig) -> list[Behind]:
    """How far each group is behind in each partition of the logs that are there now; raises an outage.

    By our own offsets: Kafka's follow later, and after a crash perhaps never.
    """
    ends = end_offsets(config, [topic.name for topic in TOPICS])
    with sessions() as session:
        read = offsets.all_positions(session)
    return [
        it
        for group in dict.fromkeys(group for topic in TOPICS for group in topic.readers)
        for it in _behind_of(group, config, ends, read)
    ]


def _behind_of(
    group: str,
    config: KafkaConfig,
    ends: Mapping[LogPartition, int],
    read: Mapping[tuple[str, LogPartition], int],
) -> list[Behind]:
    topics = {topic.name for topic in TOPICS if group in topic.readers}
    next_offsets = {it: read.get((group, it), 0) for it in ends if it.topic in topics}
    left = {it: max(ends[it] - next_, 0) for it, next_ in next_offsets.items()}
    oldest = oldest_unread(
        config, {it: next_offsets[it] for it, records in left.items() if records}
    )
    return [Behind(group, it, records, oldest.get(it)) for it, records in left.items()]
