"""How far the outbox and the groups are behind: seen from outside, so that it is told when nobody works."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Clock
from shared.contracts.topics import TOPICS
from shared.db import dead_letters, offsets, outbox
from shared.db.offsets import Place
from shared.db.session import Sessions
from shared.kafka import metrics
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig


@dataclass(frozen=True, slots=True)
class Behind:
    """What a group has not done of one partition."""

    group: str
    place: Place
    records: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the database and at Kafka, and sets the gauges of both."""

    sessions: Sessions
    config: KafkaConfig
    clock: Clock

    def look(self) -> None:
        """What the database holds first: it is told also while Kafka is away. Raises an outage."""
        with self.sessions() as session:
            backlog = outbox.backlog(session)
            kept = outbox.kept(session)
            buried = dead_letters.waiting_by_code(session)
        metrics.UNPUBLISHED.set(backlog.rows)
        metrics.KEPT.set(kept)
        metrics.OLDEST_SECONDS.set(backlog.age_s(self.clock()))
        metrics.BURIED_WAITING.clear()
        for (topic, code), letters in buried.items():
            metrics.BURIED_WAITING.labels(topic, code).set(letters)
        for it in behind(self.sessions, self.config):
            metrics.LAG.labels(it.group, it.place.topic, it.place.partition).set(it.records)


def behind(sessions: Sessions, config: KafkaConfig) -> list[Behind]:
    """How far each group is behind in each partition of the logs that are there now; raises an outage.

    By our own offsets: Kafka's follow later, and after a crash perhaps never.
    """
    ends = end_offsets(config, [topic.name for topic in TOPICS])
    with sessions() as session:
        read = offsets.all_positions(session)
    return [
        Behind(group, place, max(end - read.get((group, place), 0), 0))
        for topic in TOPICS
        for group in topic.readers
        for place, end in ends.items()
        if place.topic == topic.name
    ]
