"""The loop of a worker: poll, one transaction, and again; an outage is waited out, a fence is obeyed."""

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
    Batches,
    Item,
    Portion,
    Subscription,
    TooManyDeadLetters,
    items_of,
)
from shared.messaging.offsets import Fenced, Move
from shared.process import logs
from shared.process.prefetch import Prefetch, give_way

__all__ = ["Subscription", "consume"]

log = logs.get(__name__)

Tick = Callable[[Session, datetime], None]
_Polled = dict[TopicPartition, list[Item]]

POLL_MS = 250
PORTION = 100
"""So many records are decoded in one go."""
TICK_S = 1.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
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
    """Work until `stop`; the batch in hand is finished, then the group is left.

    `member` names this worker across restarts, `tick` runs in its own transaction about once a second,
    `on_ready` is called when we read our share of the partitions. Exits with status 70 when too many records in a
    row become dead dead_letters.
    """
    batches = Batches(group, sessions, time_source)
    worker = _Worker(batches, subscriptions, tick, on_ready)
    topics = [it.topic.name for it in subscriptions]
    while not stop.is_set():
        try:
            worker.run(Reader.joining(group, topics, config=config, member=member), stop)
        except KafkaError as error:
            log.warning("kafka cannot be read", group=group, error=loggable(error))
            worker.idle()
            stop.wait(TICK_S)
        except TooManyDeadLetters as error:
            log.critical("too many dead dead_letters in a row", group=group, error=loggable(error))
            raise SystemExit(EXIT_SOFTWARE) from error


class _Worker:
    """One member of one group."""

    def __init__(
        self,
        batches: Batches,
        subscriptions: Sequence[Subscription[Any]],
        tick: Tick | None,
        on_ready: Callable[[], None] | None,
    ) -> None:
        self._batches = batches
        self._subscriptions = subscriptions
        self._readers = {it.topic.name: it for it in subscriptions}
        self._on_tick = tick
        self._on_ready = on_ready
        self._held: dict[TopicPartition, _Held] = {}
        self._unpositioned: set[TopicPartition] = set()
        self._untold: dict[TopicPartition, int] = {}
        self._pause = Pause()
        self._tick_at_s = 0.0

    def run(self, reader: Reader, stop: threading.Event) -> None:
        """Turn after turn until `stop`."""
        self._held.clear()
        self._untold.clear()
        try:
            with Prefetch(partial(self._polled, reader)) as prefetch:
                while not stop.is_set():
                    self._turn(reader, prefetch)
        finally:
            with suppress(KafkaError):
                self._tell_kafka(reader)
            with suppress(KafkaError):
                reader.close(timeout_ms=3_000)

    def idle(self) -> None:
        """What there is to do without Kafka."""
        with self._outages_waited_out():
            self._tick()

    def _turn(self, reader: Reader, prefetch: Prefetch[_Polled]) -> None:
        """One batch, if there is one. Records of partitions that are no longer placed are dropped."""
        polled = prefetch.result()
        self._tell_kafka(reader)
        self._note_changes(reader)
        if self._pause.on():
            reader.rest()
            return
        ours = {at: polled[at] for at in polled.keys() & self._held.keys() - self._unpositioned}
        with self._outages_waited_out():
            if ours:
                if not self._unpositioned:  # or it would be read from where nobody said
                    prefetch.begin()
                self._work(ours)
                self._pause.over()
            if self._unpositioned:
                self._position(reader)
            self._tick()
            self._say_ready(reader)

    def _note_changes(self, reader: Reader) -> None:
        """What is no longer ours, what is newly ours, and what lies in another log than before."""
        for gone in self._held.keys() - reader.assignment():
            del self._held[gone]
        self._unpositioned |= reader.assigned.take_new()
        self._unpositioned |= {at for at, held in self._held.items() if held.elsewhere(reader)}

    def _polled(self, reader: Reader) -> _Polled:
        """The next records of the partitions that are placed."""
        polled = {}
        for at, records in reader.poll(timeout_ms=POLL_MS).items():
            held = self._held.get(at)
            if held is not None:
                polled[at] = self._items(at, records, held.log_partition.topic_id)
        return polled

    def _items(self, at: TopicPartition, records: Sequence[Record], topic_id: UUID) -> list[Item]:
        items = []
        for first in range(0, len(records), PORTION):
            give_way()
            items += items_of(self._readers[at.topic], records[first : first + PORTION], topic_id)
        return items

    def _work(self, polled: _Polled) -> None:
        began_s = time.monotonic()
        moves = {
            at: Move(self._held[at].log_partition, self._held[at].next, items[-1].record.offset + 1)
            for at, items in polled.items()
        }
        portions = list(map(partial(_portion, polled), self._subscriptions))
        dead_letters = self._batches.work([it for it in portions if it.items], list(moves.values()))
        for at, move in moves.items():
            self._held[at] = _Held(move.log_partition, move.next)
            self._untold[at] = move.next
        metrics.batch_done(self._batches.group, portions, dead_letters, time.monotonic() - began_s)

    def _tell_kafka(self, reader: Reader) -> None:
        if self._untold:
            reader.tell_kafka(self._untold)
            self._untold = {}

    def _position(self, reader: Reader) -> None:
        """Begin where the group's last transaction ended, in the log that is there now."""
        self._unpositioned &= reader.assignment()
        log_partitions = {
            at: LogPartition(at.topic, topic_id, at.partition)
            for at in self._unpositioned
            if (topic_id := reader.topic_id(at.topic)) is not None
        }
        if not log_partitions:
            return
        with self._batches.sessions.begin() as session:
            next_ = offsets.positions(session, self._batches.group, list(log_partitions.values()))
        for at, log_partition in log_partitions.items():
            if reader.begin_at(at, next_[log_partition]):
                self._held[at] = _Held(log_partition, next_[log_partition])
        self._unpositioned -= log_partitions.keys()
        log.info("reading", group=self._batches.group, partitions=len(self._held))

    def _say_ready(self, reader: Reader) -> None:
        """Once, when the group has formed and we read our share of it, be it nothing."""
        if self._on_ready is not None and not self._unpositioned and reader.joined():
            self._on_ready()
            self._on_ready = None

    def _tick(self) -> None:
        if self._on_tick is None or time.monotonic() < self._tick_at_s:
            return
        self._tick_at_s = time.monotonic() + TICK_S
        with self._batches.sessions.begin() as session:
            self._on_tick(session, self._batches.time_source())

    @contextmanager
    def _outages_waited_out(self) -> Iterator[None]:
        """Nothing of the block was committed if it raises: read it again, after a while if need be."""
        try:
            yield
        except Fenced as error:
            self._again(metrics.FENCED, "batch refused", error)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            self._pause.begin()
            self._again(metrics.OUTAGES, "batch put off", error)

    def _again(self, counter: Counter, event: str, error: Exception) -> None:
        group = self._batches.group
        counter.labels(group).inc()
        log.warning(event, group=group, pause_s=self._pause.length_s, error=class_and_code(error))
        self._unpositioned |= self._held.keys()


class Pause:
    """How long to leave something alone that is away: twice as long each time, up to a limit."""

    def __init__(self) -> None:
        self.length_s = 0.0
        self._until_s = 0.0

    def begin(self) -> None:
        """It is away, still or again."""
        self.length_s = min(max(self.length_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self._until_s = time.monotonic() + self.length_s

    def over(self) -> None:
        """It works."""
        self.length_s = 0.0

    def on(self) -> bool:
        """Whether to wait still."""
        return time.monotonic() < self._until_s


@dataclass(frozen=True, slots=True)
class _Held:
    """A partition that is ours, and the offset that our next batch of it begins with."""

    log_partition: LogPartition
    next: int

    def elsewhere(self, reader: Reader) -> bool:
        """Whether the topic was lost and made again since."""
        return reader.topic_id(self.log_partition.topic) not in (self.log_partition.topic_id, None)


def _portion(polled: _Polled, subscription: Subscription[Any]) -> Portion:
    topic = subscription.topic.name
    return Portion(
        subscription, [it for at, items in polled.items() if at.topic == topic for it in items]
    )
