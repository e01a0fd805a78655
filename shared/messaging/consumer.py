"""The loop of a worker: it polls Kafka and does each poll in one transaction; after an outage it tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy.orm import Session

from shared.clock import TimeSource
from shared.contracts.topic import LogPartition, Record
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.errors import class_and_code, loggable
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import KafkaError
from shared.kafka.reader import Reader, TopicPartition
from shared.messaging import metrics, offsets
from shared.messaging.batch import (
    BatchRunner,
    DecodedRecord,
    Subscription,
    TooManyDeadLetters,
    TopicBatch,
    decode_records,
)
from shared.messaging.offsets import Fenced, Move
from shared.process import logs
from shared.process.prefetch import Prefetch, yield_to_worker

__all__ = ["Subscription", "consume"]

log = logs.get(__name__)

Tick = Callable[[Session, datetime], bool | None]
"""Periodic work. True asks to be called again after the next batch, without waiting for the second to end."""
_Poll = dict[TopicPartition, list[DecodedRecord]]

POLL_MS = 250
DECODE_CHUNK = 100
"""How many records are decoded before the thread gives way to the one that works."""
TICK_S = 1.0
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 3.0
EXIT_SOFTWARE = 70
"""sysexits.h: the program is at fault."""


def consume(  # noqa: PLR0913 - a worker is wired in this one call
    group: str,
    subscriptions: Sequence[Subscription[Any]],
    *,
    config: KafkaConfig,
    sessions: Sessions,
    time_source: TimeSource,
    stop: threading.Event,
    member: str | None = None,
    tick: Tick | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Consume the topics as a member of the group until `stop`; then finish the current batch and leave the group.

    `member` is the worker's name across restarts. `tick` runs in its own transaction about once a second.
    `on_ready` is called once, when the worker reads its share of the partitions. Exits with status 70 when too many
    records in a row become dead letters.
    """
    runner = BatchRunner(group, sessions, time_source)
    worker = _Worker(runner, subscriptions, tick, on_ready)
    topics = [it.topic.name for it in subscriptions]
    while not stop.is_set():
        try:
            worker.run(Reader.join_group(group, topics, config=config, member=member), stop)
        except KafkaError as error:
            log.warning("kafka cannot be read", group=group, error=loggable(error))
            worker.run_without_kafka()
            stop.wait(TICK_S)
        except TooManyDeadLetters as error:
            log.critical("too many dead letters in a row", group=group, error=loggable(error))
            raise SystemExit(EXIT_SOFTWARE) from error


class _Worker:
    """One member of one group.

    A partition that Kafka assigns has no position at first. It gets the one that PostgreSQL has for the group, and it
    loses it when a transaction fails or the topic was deleted and made again. Only partitions with a position are read.
    """

    def __init__(
        self,
        runner: BatchRunner,
        subscriptions: Sequence[Subscription[Any]],
        tick: Tick | None,
        on_ready: Callable[[], None] | None,
    ) -> None:
        self._runner = runner
        self._subscriptions = {it.topic.name: it for it in subscriptions}
        self._on_tick = tick
        self._on_ready = on_ready
        self._positions: dict[TopicPartition, _Position] = {}
        self._without_position: set[TopicPartition] = set()
        self._kafka_offsets: dict[TopicPartition, int] = {}
        self._pause = Pause()
        self._tick_at_s = 0.0

    def run(self, reader: Reader, stop: threading.Event) -> None:
        """Do one batch after the other until `stop`; close the reader in the end."""
        self._positions.clear()
        self._kafka_offsets.clear()
        try:
            with Prefetch(partial(self._read, reader)) as prefetch:
                while not stop.is_set():
                    self._turn(reader, prefetch)
        finally:
            with suppress(KafkaError):
                self._commit_to_kafka(reader)
            with suppress(KafkaError):
                reader.close(timeout_ms=3_000)

    def run_without_kafka(self) -> None:
        """Run the tick if it is due."""
        with self._outages_waited_out():
            self._tick()

    def _turn(self, reader: Reader, prefetch: Prefetch[_Poll]) -> None:
        """Do one batch, if there is one. Records of partitions that have lost their position are dropped."""
        poll = prefetch.result()
        self._commit_to_kafka(reader)
        self._follow_assignment(reader)
        if self._pause.is_active():
            reader.pause_all()
            return
        readable = self._positions.keys() - self._without_position
        batch = {partition: poll[partition] for partition in poll.keys() & readable}
        with self._outages_waited_out():
            if batch:
                if not self._without_position:  # a partition without a position must not be read
                    prefetch.begin()
                self._run_batch(batch)
                self._pause.reset()
            if self._without_position:
                self._load_positions(reader)
            self._tick()
            self._call_on_ready(reader)

    def _follow_assignment(self, reader: Reader) -> None:
        """Forget partitions that were revoked; new ones, and those of topics that were made again, have no position."""
        for revoked in self._positions.keys() - reader.assignment():
            del self._positions[revoked]
        self._without_position |= reader.listener.take_new_partitions()
        self._without_position |= {
            partition
            for partition, position in self._positions.items()
            if position.log_was_replaced(reader)
        }

    def _read(self, reader: Reader) -> _Poll:
        """The next records of the partitions with a position, decoded."""
        poll = {}
        for partition, records in reader.poll(timeout_ms=POLL_MS).items():
            position = self._positions.get(partition)
            if position is not None:
                topic_id = position.log_partition.topic_id
                poll[partition] = self._decode(partition.topic, records, topic_id)
        return poll

    def _decode(self, topic: str, records: Sequence[Record], topic_id: UUID) -> list[DecodedRecord]:
        subscription = self._subscriptions[topic]
        decoded = []
        for first in range(0, len(records), DECODE_CHUNK):
            yield_to_worker()
            decoded += decode_records(subscription, records[first : first + DECODE_CHUNK], topic_id)
        return decoded

    def _run_batch(self, poll: _Poll) -> None:
        began_s = time.monotonic()
        moves = {}
        for partition, records in poll.items():
            position = self._positions[partition]
            next_offset = records[-1].record.offset + 1
            moves[partition] = Move(position.log_partition, position.next_offset, next_offset)
        topic_batches = self._by_topic(poll)
        dead_letters = self._runner.run(topic_batches, list(moves.values()))
        for partition, move in moves.items():
            self._positions[partition] = _Position(move.log_partition, move.next)
            self._kafka_offsets[partition] = move.next
        metrics.batch_done(
            self._runner.group, topic_batches, dead_letters, time.monotonic() - began_s
        )

    def _by_topic(self, poll: _Poll) -> list[TopicBatch]:
        """The records of each topic, in the order of the subscriptions; some may have none."""
        records_of: dict[str, list[DecodedRecord]] = {topic: [] for topic in self._subscriptions}
        for partition, records in poll.items():
            records_of[partition.topic] += records
        return [TopicBatch(self._subscriptions[it], records) for it, records in records_of.items()]

    def _commit_to_kafka(self, reader: Reader) -> None:
        if self._kafka_offsets:
            reader.commit_to_kafka(self._kafka_offsets)
            self._kafka_offsets = {}

    def _load_positions(self, reader: Reader) -> None:
        """Seek each partition without a position to where the group's last transaction ended in the present log."""
        self._without_position &= reader.assignment()
        log_partitions = {
            partition: LogPartition(partition.topic, topic_id, partition.partition)
            for partition in self._without_position
            if (topic_id := reader.topic_id(partition.topic)) is not None
        }
        if not log_partitions:
            return
        with self._runner.sessions.begin() as session:
            next_offsets = offsets.positions(
                session, self._runner.group, list(log_partitions.values())
            )
        for partition, log_partition in log_partitions.items():
            position = _Position(log_partition, next_offsets[log_partition])
            if reader.seek_and_resume(partition, position.next_offset):
                self._positions[partition] = position
        self._without_position -= log_partitions.keys()
        log.info("reading", group=self._runner.group, partitions=len(self._positions))

    def _call_on_ready(self, reader: Reader) -> None:
        """Call `on_ready` once, when the group has formed and this worker reads its share, which may be empty."""
        if self._on_ready is not None and not self._without_position and reader.joined():
            self._on_ready()
            self._on_ready = None

    def _tick(self) -> None:
        if self._on_tick is None or time.monotonic() < self._tick_at_s:
            return
        self._tick_at_s = time.monotonic() + TICK_S
        with self._runner.sessions.begin() as session:
            has_more = self._on_tick(session, self._runner.time_source())
        if has_more:
            self._tick_at_s = 0.0

    @contextmanager
    def _outages_waited_out(self) -> Iterator[None]:
        """Catch fences and outages of the block: its transaction was rolled back, and its records are read again."""
        try:
            yield
        except Fenced as error:
            self._read_again(metrics.FENCED, "batch refused", error)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            self._pause.begin()
            self._read_again(metrics.OUTAGES, "batch put off", error)

    def _read_again(self, counter: Counter, event: str, error: Exception) -> None:
        group = self._runner.group
        counter.labels(group).inc()
        log.warning(event, group=group, pause_s=self._pause.length_s, error=class_and_code(error))
        self._without_position |= self._positions.keys()


class Pause:
    """How long to wait before the next attempt: twice as long after each failure, up to a limit."""

    def __init__(self) -> None:
        self.length_s = 0.0
        self._until_s = 0.0

    def begin(self) -> None:
        """An attempt has failed."""
        self.length_s = min(max(self.length_s * 2, FIRST_PAUSE_S), MAX_PAUSE_S)
        self._until_s = time.monotonic() + self.length_s

    def reset(self) -> None:
        """An attempt has succeeded."""
        self.length_s = 0.0

    def is_active(self) -> bool:
        """Whether it is too early for the next attempt."""
        return time.monotonic() < self._until_s


@dataclass(frozen=True, slots=True)
class _Position:
    """The offset at which this worker's next batch of an assigned partition begins."""

    log_partition: LogPartition
    next_offset: int

    def log_was_replaced(self, reader: Reader) -> bool:
        """Whether the topic was deleted and made again since."""
        return reader.topic_id(self.log_partition.topic) not in (self.log_partition.topic_id, None)
