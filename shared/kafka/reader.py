"""The Kafka client of one worker, a member of a consumer group."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState

from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.patches import topic_metadata
from shared.kafka.patches.group_member import patch_coordinator
from shared.kafka.patches.record_unpacking import unpack_into_records

__all__ = ["AssignmentListener", "Reader", "TopicPartition"]

METADATA_MAX_AGE_MS = 2_000
"""How long it may take to notice that a topic was deleted and made again."""
HEARTBEATS = 10
"""Heartbeats in a session time-out. The answer to one tells that a member has joined or left."""


class Reader(KafkaConsumer):
    """A member of a group. It reads from where `seek_and_resume` puts it, and commits only in `commit_to_kafka`."""

    @classmethod
    def join_group(
        cls, group: str, topics: Sequence[str], *, config: KafkaConfig, member: str | None
    ) -> Reader:
        """Connect within a few seconds and join the group, or raise a KafkaError.

        Membership is static only where the broker keeps its log: the embedded broker makes a static member wait
        longer than a new one.
        """
        with connecting(config) as options:
            reader = cls(
                **options,
                bootstrap_timeout_ms=2_000,
                group_id=group,
                group_instance_id=member if config.keeps_log else None,
                session_timeout_ms=config.session_timeout_ms,
                heartbeat_interval_ms=max(config.session_timeout_ms // HEARTBEATS, 200),
                max_poll_records=config.max_poll_records,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                partition_assignment_strategy=[CooperativeStickyAssignor],
                metadata_max_age_ms=METADATA_MAX_AGE_MS,
                request_timeout_ms=max(config.session_timeout_ms + 5_000, 10_000),
                reconnect_backoff_max_ms=1_000,
                metrics_enabled=False,
            )
        unpack_into_records(reader)
        patch_coordinator(reader, silent=not config.keeps_log)
        reader.listener = AssignmentListener()
        reader.subscribe(list(topics), listener=reader.listener)
        return reader

    listener: AssignmentListener

    def topic_id(self, topic: str) -> UUID | None:
        """The id of the topic's log, if it is known; the answer is at most METADATA_MAX_AGE_MS old."""
        return topic_metadata.topic_id(self, topic)

    def joined(self) -> bool:
        """Whether the group has formed with this member in it."""
        return bool(self.group_metadata().state == MemberState.STABLE)

    def seek_and_resume(self, partition: TopicPartition, offset: int) -> bool:
        """Read the partition from the offset; False when it is no longer assigned to this member."""
        try:
            self.seek(partition, offset)
            self.resume(partition)
        except (ValueError, KeyError):
            return False
        return True

    def pause_all(self) -> None:
        """Fetch nothing until `seek_and_resume`; the group goes on counting this member as alive."""
        for partition in self.assignment():
            with suppress(KeyError):
                self.pause(partition)

    def commit_to_kafka(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets to Kafka, for tools that show lag: the group itself goes by those in PostgreSQL."""
        self.commit_async(
            {it: OffsetAndMetadata(next_offset, "", -1) for it, next_offset in next_offsets.items()}
        )


class AssignmentListener(ConsumerRebalanceListener):
    """Collects newly assigned partitions. The client calls it in its own thread, where no work may be done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: set[TopicPartition] = set()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._new.update(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Do nothing: offsets were committed with their batch, and the next member begins there."""

    def take_new_partitions(self) -> set[TopicPartition]:
        """The partitions that were assigned since the last call."""
        with self._lock:
            new, self._new = self._new, set()
        return new
