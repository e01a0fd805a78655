"""How far each group has read, moved in the transaction of what the records did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts.topic import LogPartition
from shared.db.tables import offsets
from shared.errors import LeadbatonError


@dataclass(frozen=True, slots=True)
class Move:
    """From the offset that we believe is next to the one that shall be."""

    log_partition: LogPartition
    expected: int
    next: int


class Fenced(LeadbatonError):
    """Somebody else has moved these offsets: whoever believes to hold the partition does not."""

    code: ClassVar[str] = "fenced"


def positions(
    session: Session, group: str, log_partitions: Sequence[LogPartition]
) -> dict[LogPartition, int]:
    """The next offset of each partition; one that the group never read begins at 0."""
    beginnings = [
        {
            "consumer_group": group,
            "topic": log_partition.topic,
            "topic_id": log_partition.topic_id,
            "partition": log_partition.partition,
            "next_offset": 0,
        }
        for log_partition in sorted(
            log_partitions, key=lambda it: (it.topic, str(it.topic_id), it.partition)
        )
    ]
    session.execute(insert(offsets).on_conflict_do_nothing(), beginnings)
    columns = (offsets.c.topic, offsets.c.topic_id, offsets.c.partition)
    keys = [(it.topic, it.topic_id, it.partition) for it in log_partitions]
    rows = session.execute(
        select(*columns, offsets.c.next_offset).where(
            offsets.c.consumer_group == group, tuple_(*columns).in_(keys)
        )
    )
    return {
        LogPartition(topic, topic_id, partition): next_
        for topic, topic_id, partition, next_ in rows
    }


def all_positions(session: Session) -> dict[tuple[str, LogPartition], int]:
    """How far every group has read, everywhere that it ever read."""
    columns = offsets.c
    rows = session.execute(
        select(
            columns.consumer_group,
            columns.topic,
            columns.topic_id,
            columns.partition,
            columns.next_offset,
        )
    )
    return {(group, LogPartition(*log_partition)): next_ for group, *log_partition, next_ in rows}


def moved_at(session: Session) -> dict[str, datetime]:
    """When each group last finished a batch, or first looked."""
    columns = offsets.c
    rows = session.execute(
        select(columns.consumer_group, func.max(columns.updated_at)).group_by(
            columns.consumer_group
        )
    )
    return dict(rows.all())


_ADVANCE = text("""
    update messaging.offsets as held
    set next_offset = move.next_offset, updated_at = now()
    from unnest(
        cast(:topics as text[]), cast(:topic_ids as uuid[]), cast(:partitions as integer[]),
        cast(:expected as bigint[]), cast(:next as bigint[])
    ) as move (topic, topic_id, partition, expected, next_offset)
    where held.consumer_group = :group
        and held.topic = move.topic
        and held.topic_id = move.topic_id
        and held.partition = move.partition
        and held.next_offset = move.expected
    returning held.partition
""")


def advance(session: Session, group: str, moves: Sequence[Move]) -> None:
    """Move every offset from where it is expected to be, or raise Fenced: then nothing may be committed."""
    arguments = {
        "group": group,
        "topics": [it.log_partition.topic for it in moves],
        "topic_ids": [it.log_partition.topic_id for it in moves],
        "partitions": [it.log_partition.partition for it in moves],
        "expected": [it.expected for it in moves],
        "next": [it.next for it in moves],
    }
    moved = len(session.execute(_ADVANCE, arguments).all())
    if moved != len(moves):
        raise Fenced(
            f"{len(moves) - moved} of {len(moves)} partitions of {group} are somebody else's"
        )
