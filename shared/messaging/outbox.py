"""The outbox: what a transaction says to Kafka, kept with what it did."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, BigInteger, all_, func, literal, select, text, update
from sqlalchemy.orm import Session

from shared.contracts.topic import Headers, Sent
from shared.contracts.topics import TOPICS
from shared.db.copying import copy_rows
from shared.db.tables import outbox

CHANNEL = "leadbaton_outbox"
"""Where PostgreSQL notifies the relay that a transaction has left rows here."""


def append(session: Session, records: Iterable[Sent]) -> None:
    """Add the records to this transaction, in this order; the relay publishes them after the commit."""
    if isinstance(records, Sequence) and not records:
        return
    rows = (
        (it.topic, it.key, it.value, orjson.dumps(encoded_headers(it.headers))) for it in records
    )
    copy_rows(session, outbox, ("topic", "key", "value", "headers"), rows)
    session.execute(text(f"notify {CHANNEL}"))


def encoded_headers(headers: Headers) -> list[list[str]]:
    """Headers as JSON can hold them."""
    return [[name, b2a_base64(value, newline=False).decode()] for name, value in headers]


def decoded_headers(headers: Sequence[Sequence[str]]) -> Headers:
    """Headers as they were before `encoded_headers`."""
    return tuple([(name, a2b_base64(value)) for name, value in headers])


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the outbox that is to be published."""

    id: int
    record: Sent


class Landing(Protocol):
    """Where a record lies in its topic's log."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """What Kafka has not acknowledged."""

    rows: int
    oldest_at: datetime | None

    def age_s(self, now: datetime) -> float:
        """How long the oldest has waited."""
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


def unpublished(session: Session, *, limit: int, but: Sequence[int] = ()) -> list[Row]:
    """The oldest rows that Kafka has not acknowledged, `but` those, which are on their way."""
    rows = session.execute(
        select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.value, outbox.c.headers)
        .where(outbox.c.published_at.is_(None))
        .where(outbox.c.id != all_(literal(list(but), ARRAY(BigInteger))))
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [
        Row(id_, Sent(topic, key, value, decoded_headers(headers)))
        for id_, topic, key, value, headers in rows
    ]


_MARK = text("""
    update messaging.outbox as row
    set published_at = :now, topic_id = ack.topic_id, partition = ack.partition, log_offset = ack.log_offset
    from unnest(
        cast(:ids as bigint[]), cast(:topic_ids as uuid[]), cast(:partitions as integer[]),
        cast(:offsets as bigint[])
    ) as ack (id, topic_id, partition, log_offset)
    where row.id = ack.id and row.published_at is null
""")


def mark_published(
    session: Session,
    acked: Sequence[tuple[Row, Landing]],
    logs: Mapping[str, UUID],
    now: datetime,
) -> None:
    """Record where the rows lie: in which log, by its id, and there in which place."""
    arguments = {
        "now": now,
        "ids": [row.id for row, _ in acked],
        "topic_ids": [logs[row.record.topic] for row, _ in acked],
        "partitions": [landing.partition for _, landing in acked],
        "offsets": [landing.offset for _, landing in acked],
    }
    session.execute(_MARK, arguments)


def publish_again(session: Session, logs: Mapping[str, UUID]) -> int:
    """Forget that rows were published to logs that are no more; how many."""
    nowhere = {"published_at": None, "topic_id": None, "partition": None, "log_offset": None}
    return sum(
        len(
            session.execute(
                update(outbox)
                .where(
                    outbox.c.published_at.is_not(None),
                    outbox.c.topic == topic,
                    outbox.c.topic_id != log,
                )
                .values(nowhere)
                .returning(outbox.c.id)
            ).all()
        )
        for topic, log in logs.items()
    )


_TRIM_READ = text("""
    with done as (
        select topic, topic_id, partition, min(next_offset) as next_offset
        from messaging.offsets
        where topic = :topic and consumer_group = any(:readers)
        group by topic, topic_id, partition
        having count(*) = cardinality(cast(:readers as text[]))
    )
    delete from messaging.outbox as row
    using done
    where row.published_at is not null
        and row.topic = done.topic
        and row.topic_id = done.topic_id
        and row.partition = done.partition
        and row.log_offset < done.next_offset
""")
_TRIM_DEAD = text("""
    delete from messaging.outbox where published_at is not null and topic = any(:dead)
""")


def trim(session: Session) -> None:
    """Delete what every reader group of its topic has read; of `.dead` topics, what is published."""
    for topic in TOPICS:
        session.execute(_TRIM_READ, {"topic": topic.name, "readers": list(topic.readers)})
    session.execute(_TRIM_DEAD, {"dead": [topic.dead for topic in TOPICS]})


def backlog(session: Session) -> Backlog:
    """How much waits to be published, and since when."""
    statement = select(func.count(), func.min(outbox.c.created_at)).where(
        outbox.c.published_at.is_(None)
    )
    return Backlog(*session.execute(statement).one())


_KEPT = text("""
    select n_live_tup from pg_stat_all_tables where relid = cast('messaging.outbox' as regclass)
""")


def kept(session: Session) -> int:
    """How many rows there are in all, as PostgreSQL reckons: counting millions would take seconds."""
    rows: int = session.scalars(_KEPT).one()
    return rows
