"""Records that can never succeed: kept with the reason, and put back when somebody has mended the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts.topic import Headers, Record, Sent
from shared.db.tables import dead_letters
from shared.messaging import outbox

ENOUGH = 100
"""How many letters a list shows unless told otherwise."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record, and why it is given up."""

    record: Record
    topic_id: UUID
    code: str
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ListedDeadLetter:
    """A buried record as a list shows it."""

    id: int
    group: str
    topic: str
    partition: int
    offset: int
    code: str
    reason: str
    attempts: int
    failed_at: datetime
    replayed_at: datetime | None


def add(session: Session, group: str, new: Sequence[DeadLetter]) -> None:
    """Keep the records, and copy each to its topic's `.dead`, bytes unchanged, with the reason in headers."""
    if not new:
        return
    rows = [_row(group, it) for it in new]
    session.execute(insert(dead_letters).on_conflict_do_nothing(), rows)
    outbox.append(session, [_copy(group, it) for it in new])


def _row(group: str, letter: DeadLetter) -> dict[str, object]:
    record = letter.record
    return {
        "consumer_group": group,
        "topic": record.topic,
        "topic_id": letter.topic_id,
        "partition": record.partition,
        "log_offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": outbox.encoded_headers(record.headers),
        "code": letter.code,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "failed_at": letter.last_at,
    }


def _copy(group: str, letter: DeadLetter) -> Sent:
    record = letter.record
    reasons = {
        "dead_code": letter.code,
        "dead_reason": letter.reason,
        "dead_group": group,
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_attempts": str(letter.attempts),
        "dead_first_at": letter.first_at.isoformat(),
        "dead_last_at": letter.last_at.isoformat(),
    }
    headers: Headers = tuple((name, value.encode()) for name, value in reasons.items())
    return Sent(f"{record.topic}.dead", record.key, record.value, record.headers + headers)


def latest(
    session: Session, *, topic: str | None = None, code: str | None = None, limit: int = ENOUGH
) -> list[ListedDeadLetter]:
    """Those not yet replayed and those replayed, newest first."""
    columns = dead_letters.c
    statement = (
        select(
            columns.id,
            columns.consumer_group.label("group"),
            columns.topic,
            columns.partition,
            columns.log_offset.label("offset"),
            columns.code,
            columns.reason,
            columns.attempts,
            columns.failed_at,
            columns.replayed_at,
        )
        .order_by(columns.id.desc())
        .limit(limit)
    )
    if topic is not None:
        statement = statement.where(columns.topic == topic)
    if code is not None:
        statement = statement.where(columns.code == code)
    return [ListedDeadLetter(**row) for row in session.execute(statement).mappings()]


def replay(
    session: Session,
    *,
    now: datetime,
    ids: Sequence[int] | None = None,
    topic: str | None = None,
) -> list[int]:
    """Put the records back on their topics as they were, each once; the ids of those put back now.

    Neither ids nor a topic means all of them.
    """
    columns = dead_letters.c
    statement = (
        update(dead_letters)
        .where(columns.replayed_at.is_(None))
        .values(replayed_at=now)
        .returning(columns.id, columns.topic, columns.key, columns.value, columns.headers)
    )
    if ids is not None:
        statement = statement.where(columns.id.in_(ids))
    if topic is not None:
        statement = statement.where(columns.topic == topic)
    rows = sorted(session.execute(statement).all(), key=lambda row: int(row.id))
    outbox.append(
        session,
        [Sent(row.topic, row.key, row.value, outbox.decoded_headers(row.headers)) for row in rows],
    )
    return [row.id for row in rows]


def count_unreplayed(session: Session) -> int:
    """How many are buried and not replayed."""
    statement = select(func.count()).where(dead_letters.c.replayed_at.is_(None))
    return session.scalar(statement) or 0


def count_unreplayed_by_code(session: Session) -> dict[tuple[str, str], int]:
    """The same by topic and code."""
    columns = dead_letters.c
    statement = (
        select(columns.topic, columns.code, func.count())
        .where(columns.replayed_at.is_(None))
        .group_by(columns.topic, columns.code)
    )
    return {(topic, code): count for topic, code, count in session.execute(statement)}
