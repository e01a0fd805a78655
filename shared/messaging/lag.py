"""How far the outbox and the groups are behind. The relay measures it, so that it is known while no worker runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
from shared.messaging.stored_lag import TopicLag, save_lags


@dataclass(frozen=True, slots=True)
class Behind:
    """How many records of one partition a group has not processed."""

    group: str
    log_partition: LogPartition
    records: int
    oldest_at: datetime | None
    """When the first of these records was written; None where it could not be read."""

    def age_s(self, now: datetime) -> float:
        """Seconds that the first of these records has waited."""
        return 0.0 if self.oldest_at is None else max((now - self.oldest_at).total_seconds(), 0.0)


def measure(sessions: Sessions, config: KafkaConfig, time_source: TimeSource) -> None:
    """Set the gauges about the database, then those about Kafka, which may be away, and store the lag.

    Raises an outage.
    """
    with sessions() as session:
        backlog = outbox.backlog(session)
        rows = outbox.estimated_rows(session)
        dead_letter_counts = dead_letters.count_unreplayed_by_code(session)
    metrics.UNPUBLISHED.set(backlog.rows)
    metrics.KEPT.set(rows)
    metrics.OLDEST_SECONDS.set(backlog.age_s(time_source()))
    metrics.DEAD_LETTERS_WAITING.clear()
    for (topic, code), count in dead_letter_counts.items():
        metrics.DEAD_LETTERS_WAITING.labels(topic, code).set(count)
    lags = behind(sessions, config)
    for lag in lags:
        labels = (lag.group, lag.log_partition.topic, lag.log_partition.partition)
        metrics.LAG.labels(*labels).set(lag.records)
        metrics.LAG_SECONDS.labels(*labels).set(lag.age_s(time_source()))
    with sessions.begin() as session:
        save_lags(session, by_topic(lags, now=time_source()))


def by_topic(lags: Iterable[Behind], *, now: datetime) -> list[TopicLag]:
    """The lag of each group in each topic, over all partitions."""
    partitions: dict[tuple[str, str], list[Behind]] = defaultdict(list)
    for lag in lags:
        partitions[lag.group, lag.log_partition.topic].append(lag)
    return [
        TopicLag(
            group,
            topic,
            records=sum(it.records for it in of_topic),
            oldest_at=min((it.oldest_at for it in of_topic if it.oldest_at), default=None),
            measured_at=now,
        )
        for (group, topic), of_topic in partitions.items()
    ]


def behind(sessions: Sessions, config: KafkaConfig) -> list[Behind]:
    """How far each group is behind in each partition of the present logs; raises an outage.

    It counts by the offsets in PostgreSQL. Those in Kafka follow later, and after a crash perhaps never.
    """
    ends = end_offsets(config, [topic.name for topic in TOPICS])
    with sessions() as session:
        positions = offsets.all_positions(session)
    return [
        it
        for group in dict.fromkeys(group for topic in TOPICS for group in topic.readers)
        for it in _behind_of(group, config, ends, positions)
    ]


def _behind_of(
    group: str,
    config: KafkaConfig,
    ends: Mapping[LogPartition, int],
    positions: Mapping[tuple[str, LogPartition], int],
) -> list[Behind]:
    topics = {topic.name for topic in TOPICS if group in topic.readers}
    next_offsets = {it: positions.get((group, it), 0) for it in ends if it.topic in topics}
    unread = {it: max(ends[it] - next_, 0) for it, next_ in next_offsets.items()}
    oldest = oldest_unread(
        config, {it: next_offsets[it] for it, records in unread.items() if records}
    )
    return [Behind(group, it, records, oldest.get(it)) for it, records in unread.items()]
