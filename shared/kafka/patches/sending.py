"""kafka-python 3.0.12: `KafkaProducer.send` wakes the producer's thread for each new batch of a partition.

Each wake-up costs 100 µs, and `send` checks the types of its arguments each time. Records that are sent together need
one wake-up only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.future import Future


class BatchProducer(KafkaProducer):
    """A producer that takes many records and is then woken once."""

    def put(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> Any:
        """The future of a record that is sent after the next `wake`; one that cannot be sent has failed already."""
        try:
            self._ensure_valid_record_size(len(key or b"") + len(value or b""))
            topic_partition = TopicPartition(topic, partition)
            return self._accumulator.append(topic_partition, None, key, value, list(headers))[0]
        except KafkaError as error:
            return Future().failure(error)

    def wake(self) -> None:
        """Send the records that were put."""
        self._sender.wakeup()
