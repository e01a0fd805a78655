"""A feed: the newest records of some topics, which a process reads once and hands on to many subscribers.

It reads without a group, from the end of the topics, and only while somebody subscribes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

from sqlalchemy.orm import Session

from shared.contracts.codec import P
from shared.contracts.topic import Message, Record, Topic
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.errors import LeadbatonError, Rejected, loggable
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import BrokerAway, KafkaError
from shared.kafka.tail import TailReader
from shared.messaging.ring import Entry, Ring
from shared.messaging.subscriber import (
    FeedSubscriber,
    chunk_of,
    outage_chunk,
    recovered_chunk,
    reload_chunk,
    start_chunk,
    visible_chunks,
)
from shared.process import logs

log = logs.get(__name__)

POLL_MS = 250
RETRY_S = 1.0
LINGER_S = 60.0
"""The feed reads on for so long after its last subscriber has left, so that one who comes back can resume."""


class Excerpt(NamedTuple):
    """What subscribers get of a record, as JSON: those who see everything, and single reps by their ids."""

    json: bytes
    by_rep: Mapping[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class FeedTopic(Generic[P]):
    """A topic of a feed, and what subscribers get of its messages: an excerpt of each, in their order."""

    topic: Topic[P]
    excerpts: Callable[[Session, Sequence[Message[P]]], Sequence[Excerpt]]


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """How much a feed reads, keeps and hands on."""

    ring: int = 5_000
    """Entries that are kept for subscribers who resume."""
    queue: int = 1_000
    """Entries that may wait for one subscriber, who gets `reload` in place of more."""
    records: int = 500
    """Records of one poll."""
    pause_s: float = 0.0
    """The pause after a poll that brought records."""
    max_behind: int = 5_000
    """A feed that is further behind in one partition skips to the ends, and all subscribers get `reload`."""


DEFAULT_LIMITS = FeedLimits()


class Feed:
    """Hands on records of the topics to its subscribers, in a thread that lives while there are any."""

    def __init__(
        self,
        topics: Sequence[FeedTopic[Any]],
        *,
        config: KafkaConfig,
        sessions: Sessions,
        limits: FeedLimits = DEFAULT_LIMITS,
        linger_s: float = LINGER_S,
    ) -> None:
        self._topics = {it.topic.name: it for it in topics}
        self._config = config
        self._sessions = sessions
        self._limits = limits
        self._linger_s = linger_s
        self._lock = threading.Lock()
        self._subscribers: set[FeedSubscriber] = set()
        self._ring: Ring | None = None
        self._outage: str | None = None
        self._thread: threading.Thread | None = None
        self._left_s = 0.0
        self._stop = threading.Event()

    def subscribe(self, rep: str | None, last_event_id: str | None) -> FeedSubscriber:
        """The changes from now on, or after this position; with a rep only those that the rep may see."""
        subscriber = FeedSubscriber(self._unsubscribe, rep, last_event_id, limit=self._limits.queue)
        with self._lock:
            self._subscribers.add(subscriber)
            if self._outage is not None:
                subscriber.deliver([outage_chunk(self._outage)], None)
            if self._ring is not None:
                subscriber.deliver(*self._first_chunks(subscriber, self._ring))
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
                self._thread.start()
        return subscriber

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join(5)

    def _unsubscribe(self, subscriber: FeedSubscriber) -> None:
        with self._lock:
            self._subscribers.discard(subscriber)
            self._left_s = time.monotonic()

    def _run(self) -> None:
        """Read until nobody has subscribed for a while; after an outage read on from the same position."""
        try:
            while not self._has_ended():
                try:
                    self._read()
                except (KafkaError, *OUTAGES) as error:
                    if not (isinstance(error, KafkaError) or is_outage(error)):
                        raise
                    self._begin_outage(error)
                    self._stop.wait(RETRY_S)
        finally:
            self._end_after_error()

    def _is_needed(self) -> bool:
        with self._lock:
            idle_s = 0.0 if self._subscribers else time.monotonic() - self._left_s
        return idle_s <= self._linger_s and not self._stop.is_set()

    def _has_ended(self) -> bool:
        """Whether the thread ends now; the next subscriber starts another."""
        if self._is_needed():
            return False
        with self._lock:
            if self._subscribers and not self._stop.is_set():
                return False
            self._thread = self._ring = self._outage = None
        return True

    def _end_after_error(self) -> None:
        """End all subscriptions if the thread has not ended regularly; their clients come back."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = self._ring = self._outage = None
                for subscriber in self._subscribers:
                    subscriber.call(subscriber.end)

    def _read(self) -> None:
        """Hand on records until nobody needs them or a topic was made again; raises an outage."""
        # The embedded broker counts its last batch as one record: a few changes of before may come again.
        ends = end_offsets(self._config, list(self._topics))
        if missing := self._topics.keys() - {it.topic for it in ends}:
            raise BrokerAway(f"Kafka does not have {', '.join(sorted(missing))}")
        ring = self._ring
        if ring is None or ring.next_offsets().keys() != ends.keys():
            ring = Ring(ends, size=self._limits.ring)
        with closing(TailReader.connect(self._config, max_records=self._limits.records)) as reader:
            reader.read_from(ring.next_offsets())
            self._begin(ring)
            while self._is_needed() and not reader.replaced(ends):
                records = reader.next_records(POLL_MS)
                if records:
                    self._hand_on(ring, records)
                    self._skip(ring, reader)
                    self._stop.wait(self._limits.pause_s)
                elif reader.is_away():
                    raise BrokerAway("Kafka has not answered for some seconds")

    def _begin(self, ring: Ring) -> None:
        """Read from this ring's position on, and say so to all subscribers."""
        with self._lock:
            is_new, self._ring = ring is not self._ring, ring
            recovered, self._outage = self._outage is not None, None
            for subscriber in self._subscribers:
                if is_new or not subscriber.has_started:
                    subscriber.hand(*self._first_chunks(subscriber, ring))
                elif recovered:
                    subscriber.hand([recovered_chunk(ring.position)], ring.position)
        if recovered:
            log.info("feed reads again", topics=list(self._topics))

    def _begin_outage(self, error: Exception) -> None:
        reason = error.message if isinstance(error, LeadbatonError) else "a server does not answer"
        with self._lock:
            is_known, self._outage = self._outage is not None, reason
            for subscriber in () if is_known else self._subscribers:
                subscriber.hand([outage_chunk(reason)], None)
        if not is_known:
            log.warning("feed interrupted", topics=list(self._topics), error=loggable(error))

    def _first_chunks(self, subscriber: FeedSubscriber, ring: Ring) -> tuple[list[bytes], str]:
        """What the subscriber gets first of this ring, and the position after it."""
        has_started, subscriber.has_started = subscriber.has_started, True
        position = ring.position
        if has_started:
            return [reload_chunk(position)], position
        if subscriber.last_event_id is None:
            return [start_chunk(position)], position
        entries = ring.since(subscriber.last_event_id)
        if entries is None:
            return [reload_chunk(position)], position
        return visible_chunks(entries, subscriber.rep), position

    def _hand_on(self, ring: Ring, records: Sequence[Record]) -> None:
        """Add the records to the ring, and give each subscriber what it may see of them; raises an outage."""
        excerpts = self._excerpts(records)
        with self._lock:
            entries: list[Entry] = []
            is_complete = True
            for record, excerpt in zip(records, excerpts, strict=True):
                is_complete = ring.advance(record) and is_complete
                if excerpt is not None:
                    entries.append(_entry(ring, record, excerpt))
            position = ring.position
            if not is_complete:
                ring.forget()
            for subscriber in self._subscribers:
                chunks = visible_chunks(entries, subscriber.rep)
                if not is_complete:
                    chunks = [reload_chunk(position)]
                subscriber.hand(chunks, position)

    def _skip(self, ring: Ring, reader: TailReader) -> None:
        """Skip to the ends of the topics if the feed is too far behind."""
        with self._lock:
            skipped = ring.skip_to(reader.ends(), max_behind=self._limits.max_behind)
            if skipped:
                for subscriber in self._subscribers:
                    subscriber.hand([reload_chunk(ring.position)], ring.position)
        if skipped:
            reader.read_from(ring.next_offsets())
            log.info("feed skips records", topics=list(self._topics), records=skipped)

    def _excerpts(self, records: Sequence[Record]) -> list[Excerpt | None]:
        """The excerpt of each record; None of one that cannot be decoded, which becomes a dead letter elsewhere."""
        excerpts: list[Excerpt | None] = [None] * len(records)
        with self._sessions() as session:
            for name, feed_topic in self._topics.items():
                messages = {
                    index: message
                    for index, record in enumerate(records)
                    if record.topic == name
                    and (message := _decoded(feed_topic.topic, record)) is not None
                }
                in_order = feed_topic.excerpts(session, list(messages.values())) if messages else ()
                for index, excerpt in zip(messages, in_order, strict=True):
                    excerpts[index] = excerpt
        return excerpts


def _decoded(topic: Topic[P], record: Record) -> Message[P] | None:
    try:
        return topic.decode(record)
    except Rejected:
        return None


def _entry(ring: Ring, record: Record, excerpt: Excerpt) -> Entry:
    """The excerpt as an entry that the ring holds."""
    position = ring.position
    by_rep = {rep: chunk_of(record.topic, it, position) for rep, it in excerpt.by_rep.items()}
    return ring.add(record, chunk_of(record.topic, excerpt.json, position), by_rep)
