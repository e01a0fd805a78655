"""The relay: publishes the rows of the outbox in their order, and deletes those that every group has read."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import psycopg

from shared.clock import TimeSource
from shared.contracts.topic import Sent
from shared.contracts.topics import TOPICS
from shared.db.listener import Listener, own_connection
from shared.db.locks import AdvisoryLock
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.errors import loggable
from shared.kafka.admin import Admin
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Ack
from shared.messaging import metrics, outbox
from shared.process import logs
from shared.process.heartbeat import Heartbeat

log = logs.get(__name__)

BATCH = 2_500
WAIT_S = 1.0
"""The longest pause between two looks at the outbox or at the lock, and the pause after an outage."""
TIDY_S = 2.0


class Publisher(Protocol):
    """Sends records in order."""

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        """For each record its acknowledgement, or the error that kept it from being sent."""


def relay(
    sessions: Sessions,
    producer: Publisher,
    *,
    config: KafkaConfig,
    stop: threading.Event,
    time_source: TimeSource,
    wait_s: float = WAIT_S,
) -> None:
    """Publish the outbox until `stop`. Many relays may run: one works and the others stand by.

    `wait_s` is the longest pause while no transaction notifies it. Outages are waited out, other errors raised.
    """
    standby, working = Heartbeat("relay standing by", time_source), Heartbeat("relay", time_source)
    while not stop.is_set():
        try:
            with (
                _lock_of_relay(sessions, stop, standby) as listener,
                Admin(config) as admin,
                closing(Relay(sessions, producer, admin, time_source)) as leader,
            ):
                while not stop.is_set():
                    more = leader.publish_batch()
                    working.beat(leader.take_published_count())
                    listener.wait(0 if more else wait_s)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            log.warning("relay waits", error=loggable(error))
            stop.wait(WAIT_S)


class Relay:
    """The relay that works; only one does at a time."""

    def __init__(
        self, sessions: Sessions, producer: Publisher, admin: Admin, time_source: TimeSource
    ) -> None:
        self._sessions = sessions
        self._producer = producer
        self._admin = admin
        self._time_source = time_source
        self._logs: Mapping[str, UUID] = {}
        self._tidy_at_s = 0.0
        self._published = 0
        self._prefetch: Future[list[outbox.Row]] | None = None
        self._mark: Future[None] | None = None
        self._ids_to_mark: Sequence[int] = ()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="outbox")

    def publish_batch(self) -> bool:
        """Publish one batch, and return whether there is more to publish at once."""
        logs = self._present_logs()
        if logs != self._logs:
            self._finish_mark()
            self._prefetch = None  # lost rows come before the ones that were read ahead
            self._publish_lost_rows_again(logs)
            self._logs = logs
        rows = self._next()
        any_acked = self._publish(rows) if rows else False
        if len(rows) < BATCH:
            self._finish_mark()
        if time.monotonic() >= self._tidy_at_s:
            self._tidy()
        return any_acked and len(rows) == BATCH

    def take_published_count(self) -> int:
        """How many rows Kafka has acknowledged since the last call."""
        published, self._published = self._published, 0
        return published

    def _present_logs(self) -> Mapping[str, UUID]:
        """The id of every topic's log. Topics that are missing, as after the loss of Kafka, are created."""
        names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
        logs = self._admin.topic_ids(names)
        if len(logs) < len(names):
            created = self._admin.create_topics()
            log.warning("topics were missing and are created", topics=created)
            logs = self._admin.topic_ids(names)
        return logs

    def _publish_lost_rows_again(self, logs: Mapping[str, UUID]) -> None:
        with self._sessions.begin() as session:
            outbox.trim(session)
            count = outbox.publish_again(session, logs)
        if count:
            log.warning("rows of a lost log are published again", rows=count)

    def _next(self) -> list[outbox.Row]:
        """The next rows; a thread reads the ones after them while these are sent."""
        prefetch, self._prefetch = self._prefetch, None
        rows = self._unpublished() if prefetch is None else prefetch.result()
        if len(rows) == BATCH:
            in_flight = [*self._ids_to_mark, *(row.id for row in rows)]
            self._prefetch = self._threads.submit(self._unpublished, in_flight)
        return rows

    def _unpublished(self, ids_in_flight: Sequence[int] = ()) -> list[outbox.Row]:
        with self._sessions.begin() as session:
            return outbox.unpublished(session, limit=BATCH, excluding=ids_in_flight)

    def close(self) -> None:
        """End the threads that read and mark."""
        self._threads.shutdown()

    def _publish(self, rows: Sequence[outbox.Row]) -> bool:
        """Send the rows, mark those that were acknowledged, and return whether there are any.

        A row is marked only if its topic had the same log before and after: else it is unknown in which one it is.
        A thread marks them while the next rows are sent.
        """
        outcomes = self._producer.send_all([row.record for row in rows])
        after = self._present_logs()
        acked = [
            (row, outcome)
            for row, outcome in zip(rows, outcomes, strict=True)
            if isinstance(outcome, Ack) and self._logs[row.record.topic] == after[row.record.topic]
        ]
        self._finish_mark()
        self._mark = self._threads.submit(self._mark_published, acked, self._time_source())
        self._ids_to_mark = [row.id for row, _ in acked]
        if len(acked) < len(rows):
            self._finish_mark()
            self._prefetch = None  # rows that failed come before the ones that were read ahead
        self._published += len(acked)
        for topic, count in Counter(row.record.topic for row, _ in acked).items():
            metrics.PUBLISHED.labels(topic).inc(count)
        failures = [it for it in outcomes if isinstance(it, Exception)]
        if failures:
            log.warning("rows not published yet", rows=len(failures), error=loggable(failures[0]))
        return bool(acked)

    def _mark_published(self, acked: Sequence[tuple[outbox.Row, Ack]], now: datetime) -> None:
        with self._sessions.begin() as session:
            outbox.mark_published(session, acked, self._logs, now)

    def _finish_mark(self) -> None:
        """Wait until the rows of the batch before are marked; raises what kept them from it."""
        mark, self._mark, self._ids_to_mark = self._mark, None, ()
        if mark is not None:
            mark.result()

    def _tidy(self) -> None:
        self._tidy_at_s = time.monotonic() + TIDY_S
        with self._sessions.begin() as session:
            outbox.trim(session)


@contextmanager
def _lock_of_relay(
    sessions: Sessions, stop: threading.Event, standby: Heartbeat
) -> Iterator[Listener]:
    """Wait until no other relay works, or until `stop`; give the listener for new rows.

    One connection holds the lock and listens. When it breaks, `Listener.wait` raises, and the lock is free.
    """
    with sessions() as session:
        engine = session.get_bind().engine
    with own_connection(engine) as connection:
        while not (_try_lock(connection) or stop.wait(WAIT_S)):
            standby.beat()
        yield Listener(connection, outbox.CHANNEL)


def _try_lock(connection: psycopg.Connection) -> bool:
    answer = connection.execute(
        "select pg_try_advisory_lock(%s)", [int(AdvisoryLock.RELAY)]
    ).fetchone()
    return answer == (True,)
