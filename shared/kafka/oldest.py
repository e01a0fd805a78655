"""When the next record that a group will read was written, by the record's own timestamp."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from shared.contracts.topic import LogPartition
from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import broker_away

QUIET_S = 0.5
"""A partition that brings no record for so long has none."""


def oldest_unread(
    config: KafkaConfig, next_offsets: Mapping[LogPartition, int]
) -> dict[LogPartition, datetime]:
    """When the next record of each partition was written; a partition without one is left out. Raises BrokerAway."""
    log_partitions = {TopicPartition(it.topic, it.partition): it for it in next_offsets}
    if not log_partitions:
        return {}
    try:
        with closing(_reader(config)) as reader:
            reader.assign(list(log_partitions))
            for partition, log_partition in log_partitions.items():
                reader.seek(partition, next_offsets[log_partition])
            written_ms = _first_of_each(reader)
    except KafkaError as error:
        raise broker_away(error) from error
    return {
        log_partitions[it]: datetime.fromtimestamp(ms / 1_000, UTC) for it, ms in written_ms.items()
    }


def _first_of_each(reader: KafkaConsumer) -> dict[TopicPartition, int]:
    written_ms: dict[TopicPartition, int] = {}
    end_s = time.monotonic() + QUIET_S
    while reader.assignment() - written_ms.keys() and time.monotonic() < end_s:
        for partition, records in reader.poll(timeout_ms=100).items():
            written_ms[partition] = records[0].timestamp
            reader.pause(partition)
            end_s = time.monotonic() + QUIET_S
    return written_ms


def _reader(config: KafkaConfig) -> KafkaConsumer:
    with connecting(config) as options:
        return KafkaConsumer(
            **options,
            bootstrap_timeout_ms=2_000,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=65_536,
            max_poll_records=1,
            request_timeout_ms=4_000,
            reconnect_backoff_max_ms=1_000,
            metrics_enabled=False,
        )
