"""The outbox on its way to Kafka: in order, one relay at a time, kept until every reader has read it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
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
"""How long to sleep at most between looks at the outbox and at the lock, and after an outage."""
TIDY_S = 2.0


class Publisher(Protocol):
    """Sends in order and says how each fared."""

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]: ...


def relay(
    sessions: Sessions,
    producer: Publisher,
    *,
    config: KafkaConfig,
    stop: threading.Event,
    time_source: TimeSource,
    wait_s: float = WAIT_S,
) -> None:
    """Publish what is in the outbox until `stop`. Many may run; one works and the others stand by.

    `wait_s` is how long it sleeps at most while no transaction notifies it. Raises what is no outage.
    """
    standby, working = Heartbeat("relay standing by", time_source), Heartbeat("relay", time_source)
    while not stop.is_set():
        try:
            with (
                _leading(sessions, stop, standby) as listener,
                Admin(config) as admin,
                closing(Relay(sessions, producer, admin, time_source)) as work,
            ):
                while not stop.is_set():
                    more = work.turn()
                    working.beat(work.count_published())
                    listener.wait(0 if more else wait_s)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            log.warning("relay waits", error=loggable(error))
            stop.wait(WAIT_S)


class Relay:
    """The work of the one relay that leads."""

    def __init__(
        self, sessions: Sessions, producer: Publisher, admin: Admin, time_source: TimeSource
    ) -> None:
        self._sessions = sessions
        self._producer = producer
        self._admin = admin
        self._clock = time_source
        self._logs: Mapping[str, UUID] = {}
        self._tidy_at_s = 0.0
        self._published = 0
        self._prefetch: Future[list[outbox.Row]] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    def turn(self) -> bool:
        """Publish one batch; whether there is more to do at once."""
        logs = self._present_logs()
        if logs != self._logs:
            self._forget_what_was_read()
            self._publish_again_what_was_lost(logs)
            self._logs = logs
        rows = self._next()
        done = self._publish(rows) if rows else False
        if time.monotonic() >= self._tidy_at_s:
            self._tidy()
        return done and len(rows) == BATCH

    def count_published(self) -> int:
        """How many rows Kafka took since this was asked before."""
        published, self._published = self._published, 0
        return published

    def _present_logs(self) -> Mapping[str, UUID]:
        """The id of every topic's log; topics that are missing, as after the loss of Kafka, are made."""
        names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
        logs = self._admin.topic_ids(names)
        if len(logs) < len(names):
            made = self._admin.create_topics()
            log.warning("topics were missing and are made", topics=made)
            logs = self._admin.topic_ids(names)
        return logs

    def _publish_again_what_was_lost(self, logs: Mapping[str, UUID]) -> None:
        with self._sessions.begin() as session:
            outbox.trim(session)
            again = outbox.publish_again(session, logs)
        if again:
            log.warning("rows of a lost log are published again", rows=again)

    def _next(self) -> list[outbox.Row]:
        """The next rows; those that follow are read while these are sent."""
        prefetch, self._prefetch = self._prefetch, None
        rows = self._unpublished() if prefetch is None else prefetch.result()
        if len(rows) == BATCH:
            self._prefetch = self._reader.submit(self._unpublished, [row.id for row in rows])
        return rows

    def _unpublished(self, on_their_way: Sequence[int] = ()) -> list[outbox.Row]:
        with self._sessions.begin() as session:
            return outbox.unpublished(session, limit=BATCH, but=on_their_way)

    def _forget_what_was_read(self) -> None:
        """What is to be published again comes before what follows it, and both are read again."""
        self._prefetch = None

    def close(self) -> None:
        """Leave no thread behind."""
        self._reader.shutdown()

    def _publish(self, rows: Sequence[outbox.Row]) -> bool:
        """Send, and mark what certainly lies in the log whose id we know: the same before and after.

        Says whether Kafka took any of it.
        """
        outcomes = self._producer.send_all([row.record for row in rows])
        after = self._present_logs()
        acked = [
            (row, outcome)
            for row, outcome in zip(rows, outcomes, strict=True)
            if isinstance(outcome, Ack) and self._logs[row.record.topic] == after[row.record.topic]
        ]
        if len(acked) < len(rows):
            self._forget_what_was_read()
        with self._sessions.begin() as session:
            outbox.mark_published(session, acked, self._logs, self._clock())
        self._published += len(acked)
        for topic, count in Counter(row.record.topic for row, _ in acked).items():
            metrics.PUBLISHED.labels(topic).inc(count)
        failures = [it for it in outcomes if isinstance(it, Exception)]
        if failures:
            log.warning("rows not published yet", rows=len(failures), error=loggable(failures[0]))
        return bool(acked)

    def _tidy(self) -> None:
        self._tidy_at_s = time.monotonic() + TIDY_S
        with self._sessions.begin() as session:
            outbox.trim(session)


@contextmanager
def _leading(sessions: Sessions, stop: threading.Event, standby: Heartbeat) -> Iterator[Listener]:
    """Wait until no other relay works, or until `stop`.

    One connection holds the lock and listens: when it is lost, `Listener.wait` raises, and the lock is lost too.
    """
    with sessions() as session:
        engine = session.get_bind().engine
    with own_connection(engine) as connection:
        while not (_locked(connection) or stop.wait(WAIT_S)):
            standby.beat()
        yield Listener(connection, outbox.CHANNEL)


def _locked(connection: psycopg.Connection) -> bool:
    answer = connection.execute(
        "select pg_try_advisory_lock(%s)", [int(AdvisoryLock.RELAY)]
    ).fetchone()
    return answer == (True,)
