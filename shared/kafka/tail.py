"""A Kafka client that reads topics from chosen offsets, outside of any group."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition

from shared.contracts.topic import LogPartition, Record
from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.patches import topic_metadata
from shared.kafka.patches.record_unpacking import unpack_into_records

METADATA_MAX_AGE_MS = 2_000
"""How long it may take to notice that a topic was deleted and made again."""

AWAY_AFTER_S = METADATA_MAX_AGE_MS / 1_000 + 4.0
"""Kafka counts as away when it has not answered for so long: the client asks it for metadata all the time."""

MAX_PARTITION_BYTES = 262_144


class TailReader(KafkaConsumer):
    """A reader of all partitions of some topics. It commits nothing."""

    @classmethod
    def connect(cls, config: KafkaConfig, *, max_records: int) -> TailReader:
        """Connect within a few seconds, or raise a KafkaError. A poll returns `max_records` at most."""
        with connecting(config) as options:
            reader = cls(
                **options,
                bootstrap_timeout_ms=2_000,
                enable_auto_commit=False,
                auto_offset_reset="latest",
                allow_auto_create_topics=False,
                fetch_max_wait_ms=250,
                max_partition_fetch_bytes=MAX_PARTITION_BYTES,
                max_poll_records=max_records,
                metadata_max_age_ms=METADATA_MAX_AGE_MS,
                request_timeout_ms=4_000,
                reconnect_backoff_max_ms=1_000,
                metrics_enabled=False,
            )
        unpack_into_records(reader)
        return reader

    def read_from(self, next_offsets: Mapping[LogPartition, int]) -> None:
        """Read these partitions from these offsets on."""
        offsets = {TopicPartition(it.topic, it.partition): at for it, at in next_offsets.items()}
        self.assign(list(offsets))
        for partition, offset in offsets.items():
            self.seek(partition, offset)

    def next_records(self, timeout_ms: int) -> list[Record]:
        """The next records; none after the time, also while Kafka is away."""
        polled = self.poll(timeout_ms=timeout_ms)
        return [record for records in polled.values() for record in records]

    def ends(self) -> dict[tuple[str, int], int]:
        """The end of each partition by topic and number, as of the last answer of Kafka that named it."""
        ends = {partition: self.highwater(partition) for partition in self.assignment()}
        return {(it.topic, it.partition): end for it, end in ends.items() if end is not None}

    def replaced(self, log_partitions: Mapping[LogPartition, int]) -> bool:
        """Whether one of the topics was deleted and made again since."""
        ids: dict[str, UUID] = {it.topic: it.topic_id for it in log_partitions}
        return any(
            topic_metadata.topic_id(self, topic) not in (id_, None) for topic, id_ in ids.items()
        )

    def is_away(self) -> bool:
        """Whether Kafka has not answered for AWAY_AFTER_S."""
        return topic_metadata.metadata_age_s(self) > AWAY_AFTER_S
