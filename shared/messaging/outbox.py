"""The outbox: records for Kafka, committed in the transaction that caused them and published by the relay."""

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
"""The channel on which PostgreSQL notifies the relay of new rows."""


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
    """Headers as JSON: pairs of a name and a value in base64."""
    return [[name, b2a_base64(value, newline=False).decode()] for name, value in headers]


def decoded_headers(headers: Sequence[Sequence[str]]) -> Headers:
    """The headers that `encoded_headers` has written as JSON."""
    return tuple([(name, a2b_base64(value)) for name, value in headers])


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the outbox that is to be published."""

    id: int
    record: Sent


class LogPosition(Protocol):
    """The position of a record in its topic's log."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """The rows that Kafka has not acknowledged."""

    rows: int
    oldest_at: datetime | None

    def age_s(self, now: datetime) -> float:
        """Seconds that the oldest row has waited."""
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


def unpublished(session: Session, *, limit: int, excluding: Sequence[int] = ()) -> list[Row]:
    """The oldest rows that Kafka has not acknowledged, except the ids in `excluding`, which are being sent."""
    rows = session.execute(
        select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.value, outbox.c.headers)
        .where(outbox.c.published_at.is_(None))
        .where(outbox.c.id != all_(literal(list(excluding), ARRAY(BigInteger))))
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
    acks: Sequence[tuple[Row, LogPosition]],
    logs: Mapping[str, UUID],
    now: datetime,
) -> None:
    """Store the position of each row: the id of the topic's log, the partition and the offset."""
    arguments = {
        "now": now,
        "ids": [row.id for row, _ in acks],
        "topic_ids": [logs[row.record.topic] for row, _ in acks],
        "partitions": [position.partition for _, position in acks],
        "offsets": [position.offset for _, position in acks],
    }
    session.execute(_MARK, arguments)


def publish_again(session: Session, logs: Mapping[str, UUID]) -> int:
    """Mark rows of logs that no longer exist as not published; return how many."""
    no_position = {"published_at": None, "topic_id": None, "partition": None, "log_offset": None}
    return sum(
        len(
            session.execute(
                update(outbox)
                .where(
                    outbox.c.published_at.is_not(None),
                    outbox.c.topic == topic,
                    outbox.c.topic_id != log,
                )
                .values(no_position)
                .returning(outbox.c.id)
            ).all()
        )
        for topic, log in logs.items()
    )


_TRIM_READ = text("""
    with progress as (
        select topic, topic_id, partition, min(next_offset) as next_offset
        from messaging.offsets
        where topic = :topic and consumer_group = any(:readers)
        group by topic, topic_id, partition
        having count(*) = cardinality(cast(:readers as text[]))
    )
    delete from messaging.outbox as row
    using progress
    where row.published_at is not null
        and row.topic = progress.topic
        and row.topic_id = progress.topic_id
        and row.partition = progress.partition
        and row.log_offset < progress.next_offset
""")
_TRIM_DEAD = text("""
    delete from messaging.outbox where published_at is not null and topic = any(:dead)
""")


def trim(session: Session) -> None:
    """Delete rows that every group of their topic has read, and published rows of `.dead` topics."""
    for topic in TOPICS:
        session.execute(_TRIM_READ, {"topic": topic.name, "readers": list(topic.readers)})
    session.execute(_TRIM_DEAD, {"dead": [topic.dead for topic in TOPICS]})


def backlog(session: Session) -> Backlog:
    """How many rows wait to be published, and since when."""
    statement = select(func.count(), func.min(outbox.c.created_at)).where(
        outbox.c.published_at.is_(None)
    )
    return Backlog(*session.execute(statement).one())


_ESTIMATE = text("""
    select n_live_tup from pg_stat_all_tables where relid = cast('messaging.outbox' as regclass)
""")


def estimated_rows(session: Session) -> int:
    """PostgreSQL's estimate of the number of rows: counting millions would take seconds."""
    rows: int = session.scalars(_ESTIMATE).one()
    return rows
