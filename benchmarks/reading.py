"""Measures how fast a topic is read: by a consumer group, from its committed offsets, and by a floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from kafka import KafkaConsumer, TopicPartition

from benchmarks.installed import until
from shared.kafka.config import KafkaConfig

PATIENCE_S = 300.0
POLL_RECORDS = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """A consumer group and a topic that it reads."""

    database: psycopg.Connection[Any]
    group: str
    topic: str

    def done(self) -> int:
        """Records whose effects are committed."""
        row = self.database.execute(
            "select coalesce(sum(next_offset), 0)::bigint from messaging.offsets"
            " where consumer_group = %s and topic = %s",
            (self.group, self.topic),
        ).fetchone()
        return int(row[0]) if row else 0

    def reached(self, expected: int) -> int:
        """Wait until `count` records are done; returns how many are."""
        until(
            lambda: self.done() >= expected,
            f"{self.group} did not do {expected} records of {self.topic}",
            within_s=PATIENCE_S,
        )
        return self.done()


def per_s(
    config: KafkaConfig,
    begin: Mapping[TopicPartition, int],
    count: int,
    batch: Callable[[list[Any]], None],
) -> float:
    """Records/s of a floor: `count` records from these offsets, each poll passed to `batch`, without the first poll."""
    reader = KafkaConsumer(
        bootstrap_servers=list(config.bootstrap),
        enable_auto_commit=False,
        max_poll_records=POLL_RECORDS,
    )
    reader.assign(list(begin))
    for partition, offset in begin.items():
        reader.seek(partition, offset)
    first, began_s, done = 0, 0.0, 0
    while done < count:
        records = [it for some in reader.poll(timeout_ms=1_000).values() for it in some]
        if records:
            batch(records)
            done += len(records)
            if not first:
                first, began_s = done, time.monotonic()
    took_s = time.monotonic() - began_s
    reader.close()
    return (done - first) / took_s
