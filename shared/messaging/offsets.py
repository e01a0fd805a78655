"""How far each group has read each partition; moved in the transaction that holds the effects of the records."""

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
    """A step of one partition: from the offset that the worker expects to be next to the new one."""

    log_partition: LogPartition
    expected: int
    next: int


class Fenced(LeadbatonError):
    """Another worker has moved the offsets, so the partition is no longer assigned to this one."""

    code: ClassVar[str] = "fenced"


def positions(
    session: Session, group: str, log_partitions: Sequence[LogPartition]
) -> dict[LogPartition, int]:
    """The next offset of each partition; it is 0 where the group has never read."""
    first_offsets = [
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
    session.execute(insert(offsets).on_conflict_do_nothing(), first_offsets)
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
    """The next offset of every group in every partition that it has read, in logs of the past too."""
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
    """When each group last finished a batch; where it never did, when it read its offsets first."""
    columns = offsets.c
    rows = session.execute(
        select(columns.consumer_group, func.max(columns.updated_at)).group_by(
            columns.consumer_group
        )
    )
    return dict(rows.all())


_ADVANCE = text("""
    update messaging.offsets as position
    set next_offset = move.next_offset, updated_at = now()
    from unnest(
        cast(:topics as text[]), cast(:topic_ids as uuid[]), cast(:partitions as integer[]),
        cast(:expected as bigint[]), cast(:next as bigint[])
    ) as move (topic, topic_id, partition, expected, next_offset)
    where position.consumer_group = :group
        and position.topic = move.topic
        and position.topic_id = move.topic_id
        and position.partition = move.partition
        and position.next_offset = move.expected
    returning position.partition
""")


def advance(session: Session, group: str, moves: Sequence[Move]) -> None:
    """Move every offset; raise Fenced, so that nothing is committed, when one is not where it is expected to be."""
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
            f"another worker has moved the offsets of {len(moves) - moved} of {len(moves)} partitions of {group}"
        )
