"""Dead letters: records that can never succeed, stored with the reason, and replayed when the cause is mended."""

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

DEFAULT_LIMIT = 100
"""How many dead letters a list has by default."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be processed, with the reason."""

    record: Record
    topic_id: UUID
    code: str
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ListedDeadLetter:
    """A dead letter in a list."""

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
    """Store the dead letters, and append a copy of each for `<topic>.dead`: the same bytes, the reason in headers."""
    if not new:
        return
    rows = [_row(group, it) for it in new]
    session.execute(insert(dead_letters).on_conflict_do_nothing(), rows)
    outbox.append(session, [_copy(group, it) for it in new])


def _row(group: str, dead_letter: DeadLetter) -> dict[str, object]:
    record = dead_letter.record
    return {
        "consumer_group": group,
        "topic": record.topic,
        "topic_id": dead_letter.topic_id,
        "partition": record.partition,
        "log_offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": outbox.encoded_headers(record.headers),
        "code": dead_letter.code,
        "reason": dead_letter.reason,
        "attempts": dead_letter.attempts,
        "failed_at": dead_letter.last_at,
    }


def _copy(group: str, dead_letter: DeadLetter) -> Sent:
    record = dead_letter.record
    reasons = {
        "dead_code": dead_letter.code,
        "dead_reason": dead_letter.reason,
        "dead_group": group,
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_attempts": str(dead_letter.attempts),
        "dead_first_at": dead_letter.first_at.isoformat(),
        "dead_last_at": dead_letter.last_at.isoformat(),
    }
    headers: Headers = tuple((name, value.encode()) for name, value in reasons.items())
    return Sent(f"{record.topic}.dead", record.key, record.value, record.headers + headers)


def latest(
    session: Session,
    *,
    topic: str | None = None,
    code: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> list[ListedDeadLetter]:
    """Dead letters, replayed or not, newest first."""
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
    """Append the records for their topics again, each once; return the ids of those replayed by this call.

    Without ids and without a topic it replays all of them.
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
    """How many dead letters are not replayed."""
    statement = select(func.count()).where(dead_letters.c.replayed_at.is_(None))
    return session.scalar(statement) or 0


def count_unreplayed_by_code(session: Session) -> dict[tuple[str, str], int]:
    """How many dead letters are not replayed, by topic and code."""
    columns = dead_letters.c
    statement = (
        select(columns.topic, columns.code, func.count())
        .where(columns.replayed_at.is_(None))
        .group_by(columns.topic, columns.code)
    )
    return {(topic, code): count for topic, code, count in session.execute(statement)}
