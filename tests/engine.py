"""Workers and relays in threads, and a handler whose table shows how often each event was handled."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import Column, MetaData, Table
from sqlalchemy.types import Text

from shared.clock import utc_now
from shared.contracts.codec import P
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message, Outgoing, Record, Topic
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.db.tables import outbox as outbox_table
from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.pending import PendingLimit
from shared.kafka.producer import Producer
from shared.messaging import dead_letters, outbox
from shared.messaging.consumer import Subscription, consume
from shared.messaging.relay import WAIT_S, Publisher, relay
from tests.builders import marketing_event

PATIENCE_S = 30.0
"""How long tests wait for a condition."""

effects = Table("effects", MetaData(), Column("id", Text, nullable=False))
"""A row for each time that an event was handled; duplicates would show that it was handled twice."""


class Ledger:
    """A handler that adds an effect for each event, and lets tests wait for committed effects."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.handled_count = 0
        with sessions.begin() as session:
            effects.create(session.connection(), checkfirst=True)

    def __call__(
        self, session: Session, messages: Sequence[Message[MarketingEvent]], _now: datetime
    ) -> None:
        self.handled_count += len(messages)
        session.execute(insert(effects), [{"id": it.payload.id} for it in messages])

    def effect_counts(self) -> Counter[str]:
        """The number of effects of each event, by id."""
        with self.sessions() as session:
            return Counter(session.scalars(select(effects.c.id)))

    def wait_for(self, ids: Sequence[str]) -> None:
        """Wait until all these events were handled."""
        until(lambda: set(ids) <= self.effect_counts().keys())


def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition; it fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.02)


def events(count: int, *, start: int = 0) -> list[Outgoing]:
    """Events `start`, `start + 1`, … as records, of ten people."""
    return [
        record(marketing_event(id=str(number), email=f"p{number % 10}@x.io"))
        for number in range(start, start + count)
    ]


def record(event: MarketingEvent) -> Outgoing:
    """The event as a record."""
    return MARKETING_EVENTS.encode(event, id=event.id, source="test", at=event.time)


def each_once(count: int, *, start: int = 0) -> dict[str, int]:
    """The counts of `Ledger.effect_counts` if each of `events` was handled once."""
    return dict.fromkeys(ids(count, start=start), 1)


def dead_letter_codes(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return [it.code for it in dead_letters.latest(session)]


def ids(count: int, *, start: int = 0) -> list[str]:
    """The ids of `events`."""
    return [str(number) for number in range(start, start + count)]


def append_to_outbox(sessions: Sessions, records: Sequence[Outgoing]) -> None:
    """Append the records to the outbox."""
    with sessions.begin() as session:
        outbox.append(session, records)


def announcements(sessions: Sessions, topic: Topic[P]) -> list[Message[P]]:
    """The messages in the outbox for the topic."""
    rows = outbox_table.c
    statement = (
        select(rows.key, rows.value, rows.headers).where(rows.topic == topic.name).order_by(rows.id)
    )
    with sessions() as session:
        stored = session.execute(statement).all()
    record = partial(Record, topic.name, 0, 0)
    return [
        topic.decode(record(it.key, it.value, outbox.decoded_headers(it.headers))) for it in stored
    ]


def records_in(config: KafkaConfig, topic: str) -> list[ConsumerRecord]:
    """All records that the topic holds now."""
    partitions = [TopicPartition(topic, number) for number in range(config.partitions)]
    records: list[ConsumerRecord] = []
    with reading_from_the_beginning(config, partitions) as reader:
        quiet = 0
        while quiet < 3:
            polled = reader.poll(timeout_ms=100)
            quiet = 0 if polled else quiet + 1
            records += (it for batch in polled.values() for it in batch)
    return records


@contextmanager
def reading_from_the_beginning(
    config: KafkaConfig, partitions: Sequence[TopicPartition]
) -> Iterator[KafkaConsumer]:
    """A consumer of no group that reads the partitions, closed after the block."""
    with connecting(config) as options:
        consumer = KafkaConsumer(**options, enable_auto_commit=False, metrics_enabled=False)
    with closing(consumer):
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        yield consumer


@contextmanager
def producing(config: KafkaConfig, limit: PendingLimit | None = None) -> Iterator[Producer]:
    """A producer that is ready, closed after the block."""
    with closing(Producer(config, limit=limit)) as producer:
        until(producer.ready)
        yield producer


@contextmanager
def running_worker(
    sessions: Sessions,
    config: KafkaConfig,
    handle: Callable[[Session, Sequence[Message[MarketingEvent]], datetime], None],
    *,
    tick: Callable[[Session, datetime], bool | None] | None = None,
) -> Iterator[threading.Event]:
    """A scoring worker in a thread; yields an event that is set once it reads."""
    ready = threading.Event()
    with _thread(
        lambda stop: consume(
            SCORING,
            [Subscription(MARKETING_EVENTS, handle)],
            config=config,
            sessions=sessions,
            time_source=utc_now,
            stop=stop,
            tick=tick,
            on_ready=ready.set,
        )
    ):
        yield ready


@contextmanager
def running_relay(
    sessions: Sessions, producer: Publisher, config: KafkaConfig, *, wait_s: float = WAIT_S
) -> Iterator[None]:
    """A relay in a thread."""
    with _thread(
        lambda stop: relay(
            sessions, producer, config=config, stop=stop, time_source=utc_now, wait_s=wait_s
        ),
        wake=lambda: ring(sessions),
    ):
        yield


def ring(sessions: Sessions) -> None:
    """Wake the relay by a notification."""
    with sessions.begin() as session:
        session.execute(text(f"notify {outbox.CHANNEL}"))


@contextmanager
def _thread(
    run: Callable[[threading.Event], None], wake: Callable[[], None] = lambda: None
) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        wake()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "it did not stop"
