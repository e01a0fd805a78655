"""How far the outbox and the groups are behind: seen from outside, so that it is told when nobody works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.clock import TimeSource
from shared.contracts.topics import TOPICS
from shared.db.session import Sessions
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig
from shared.kafka.oldest import oldest_unread
from shared.messaging import dead_letters, metrics, offsets, outbox
from shared.messaging.offsets import Place


@dataclass(frozen=True, slots=True)
class Behind:
    """What a group has not done of one partition."""

    group: str
    place: Place
    records: int
    oldest_at: datetime | None
    """When the first of them was written; None where it could not be read."""

    def age_s(self, now: datetime) -> float:
        """How long the first of them has waited."""
        return 0.0 if self.oldest_at is None else max((now - self.oldest_at).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the database and at Kafka, and sets the gauges of both."""

    sessions: Sessions
    config: KafkaConfig
    time_source: TimeSource

    def look(self) -> None:
        """What the database holds first: it is told also while Kafka is away. Raises an outage."""
        with self.sessions() as session:
            backlog = outbox.backlog(session)
            kept = outbox.kept(session)
            buried = dead_letters.waiting_by_code(session)
        metrics.UNPUBLISHED.set(backlog.rows)
        metrics.KEPT.set(kept)
        metrics.OLDEST_SECONDS.set(backlog.age_s(self.time_source()))
        metrics.BURIED_WAITING.clear()
        for (topic, code), letters in buried.items():
            metrics.BURIED_WAITING.labels(topic, code).set(letters)
        for it in behind(self.sessions, self.config):
            where = (it.group, it.place.topic, it.place.partition)
            metrics.LAG.labels(*where).set(it.records)
            metrics.LAG_SECONDS.labels(*where).set(it.age_s(self.time_source()))


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
    ends: Mapping[Place, int],
    read: Mapping[tuple[str, Place], int],
) -> list[Behind]:
    topics = {topic.name for topic in TOPICS if group in topic.readers}
    next_offsets = {it: read.get((group, it), 0) for it in ends if it.topic in topics}
    left = {it: max(ends[it] - next_, 0) for it, next_ in next_offsets.items()}
    oldest = oldest_unread(
        config, {it: next_offsets[it] for it, records in left.items() if records}
    )
    return [Behind(group, it, records, oldest.get(it)) for it, records in left.items()]
