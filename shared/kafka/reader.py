"""The client that reads for one worker: what it is assigned, and which log that is."""

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

__all__ = ["Assigned", "Reader", "TopicPartition"]

METADATA_MAX_AGE_MS = 2_000
"""How long it may take us to see that a topic was lost and made again."""
HEARTBEATS = 10
"""In a session: one brings the news that somebody has joined or left."""


class Reader(KafkaConsumer):
    """A member of a group. It begins where we tell it to, and never commits on its own."""

    @classmethod
    def joining(
        cls, group: str, topics: Sequence[str], *, config: KafkaConfig, member: str | None
    ) -> Reader:
        """Connect within a few seconds, or raise a KafkaError.

        Static membership only where the broker keeps its log: the embedded one makes a static member wait
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
        reader.assigned = Assigned()
        reader.subscribe(list(topics), listener=reader.assigned)
        return reader

    assigned: Assigned

    def topic_id(self, topic: str) -> UUID | None:
        """The id of the topic's log as far as we know; at most METADATA_MAX_AGE_MS old."""
        return topic_metadata.topic_id(self, topic)

    def joined(self) -> bool:
        """Whether the group has formed with us in it."""
        return bool(self.group_metadata().state == MemberState.STABLE)

    def begin_at(self, partition: TopicPartition, offset: int) -> bool:
        """Read the partition from there; False when it was taken from us meanwhile."""
        try:
            self.seek(partition, offset)
            self.resume(partition)
        except (ValueError, KeyError):
            return False
        return True

    def rest(self) -> None:
        """Fetch nothing until `begin_at`; the group goes on counting us as alive."""
        for partition in self.assignment():
            with suppress(KeyError):
                self.pause(partition)

    def tell_kafka(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """For tools that show lag; we ourselves never ask Kafka."""
        self.commit_async(
            {at: OffsetAndMetadata(next_, "", -1) for at, next_ in next_offsets.items()}
        )


class Assigned(ConsumerRebalanceListener):
    """Notes what is newly ours. It is called in the client's own thread, where no work may be done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: set[TopicPartition] = set()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._new.update(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: what we held was committed with its batch, and whoever comes next begins there."""

    def take_new(self) -> set[TopicPartition]:
        """What was assigned since the last call."""
        with self._lock:
            new, self._new = self._new, set()
        return new
