"""Publishes accepted events before the answer `ok`: to Kafka, or else into the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from services.scoring.ingest.errors import NowhereToPut
from services.scoring.ingest.metrics import TO_KAFKA, TO_OUTBOX
from shared.contracts.topic import Outgoing
from shared.db.outages import is_outage
from shared.db.session import Sessions
from shared.errors import Unavailable, class_and_code
from shared.messaging import outbox
from shared.process import logs

log = logs.get(__name__)

MAX_WAITING = 16_000_000
"""Bytes that may wait for the outbox; beyond this, requests are refused and senders retry."""

PAUSE_S = 1.0
"""After the database refused a write, requests are refused for so long without a try."""


class RecordProducer(Protocol):
    """The part of the producer that is needed here."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return after every record is acknowledged; raise Unavailable."""

    def ready(self) -> bool:
        """Whether a publish is likely to succeed."""


class Publishing:
    """Kafka first, the outbox when it is away; the outbox alone where Kafka keeps no log of its own."""

    def __init__(self, producer: RecordProducer, sessions: Sessions, *, keeps_log: bool) -> None:
        self._producer = producer
        self._keeps_log = keeps_log
        self._outbox = _Outbox(sessions)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when the records are safe; raise NowhereToPut when none of them is, or only a part."""
        if not records:
            return
        if self._keeps_log and self._producer.ready():
            try:
                await self._producer.publish(records)
            except Unavailable as away:
                log.warning("kafka away, events go to the outbox", why=away.code)
            else:
                TO_KAFKA.inc(len(records))
                return
        await self._outbox.put(records)
        TO_OUTBOX.inc(len(records))


class _Outbox:
    """Writes one transaction at a time; the records that arrive meanwhile all go into the next."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._waiting: list[tuple[Sequence[Outgoing], asyncio.Future[None]]] = []
        self._bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._paused_until = 0.0

    async def put(self, records: Sequence[Outgoing]) -> None:
        """Return after the commit."""
        loop = asyncio.get_running_loop()
        size = sum(len(it.value) for it in records)
        if loop.time() < self._paused_until or self._bytes + size > MAX_WAITING:
            raise NowhereToPut("neither Kafka nor the database takes events now: send them again")
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((records, done))
        self._bytes += size
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        try:
            await done
        finally:
            self._bytes -= size

    async def _write(self) -> None:
        while self._waiting:
            requests, self._waiting = self._waiting, []
            fault = await self._fault_of([record for records, _ in requests for record in records])
            write_alone = (
                not (fault is None or isinstance(fault, NowhereToPut)) and len(requests) > 1
            )
            # Each request is written alone, so that one with records that PostgreSQL refuses fails alone.
            for records, done in requests:
                _end(done, await self._fault_of(records) if write_alone else fault)
        self._writing = None

    async def _fault_of(self, records: Sequence[Outgoing]) -> BaseException | None:
        """Put the records into the outbox; returns None, or the error."""
        [fault] = await asyncio.gather(
            run_in_threadpool(self._append, records), return_exceptions=True
        )
        if fault is None or not is_outage(fault):
            return fault
        log.error("outbox away too", events=len(records), error=class_and_code(fault))
        self._paused_until = asyncio.get_running_loop().time() + PAUSE_S
        return NowhereToPut("neither Kafka nor the database takes events: send them again")

    def _append(self, records: Sequence[Outgoing]) -> None:
        with self._sessions.begin() as session:
            outbox.append(session, records)


def _end(done: asyncio.Future[None], fault: BaseException | None) -> None:
    if done.done():  # the sender's request was cancelled
        return
    if fault is None:
        done.set_result(None)
    else:
        done.set_exception(fault)
