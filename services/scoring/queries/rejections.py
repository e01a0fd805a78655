"""Rejections: each body is stored once, a repeated rejection is one row with a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import accumulate, takewhile
from typing import Any, Self

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    Table,
    any_,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.scoring.tables import rejected_bodies, rejections
from shared.db.time_range import ALWAYS, TimeRange

Position = tuple[datetime, int]
"""The place of a rejection in the list: when it came last, and its id."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a refused event: their digest, how many there are, the first of them."""

    digest: bytes
    size: int
    start: bytes

    @classmethod
    def of(cls, content: bytes, *, max_bytes: int) -> Self:
        """The body with this content, of which no more than `max_bytes` are stored."""
        return cls(sha256(content).digest(), len(content), content[:max_bytes])


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that was refused, with the reason."""

    source: str
    event_id: str | None
    received_at: datetime
    code: str
    reason: str
    format: str
    body: Body

    def key(self) -> bytes:
        """The key of the rejection: a digest of the source, the event and the reason, the same for every repetition."""
        words = orjson.dumps((self.source, self.event_id, self.code, self.reason))
        return sha256(self.body.digest + words).digest()


@dataclass(frozen=True, slots=True)
class StoredRejection:
    """A rejection as it is listed: how often it came, when first and last, and its first bytes."""

    id: int
    source: str
    event_id: str | None
    received_at: datetime
    last_received_at: datetime
    count: int
    code: str
    reason: str
    format: str
    size: int
    bytes: bytes

    @property
    def is_whole(self) -> bool:
        """Whether all of its bytes are kept."""
        return len(self.bytes) == self.size

    def position(self) -> Position:
        """The place of the rejection in the list."""
        return self.last_received_at, self.id


_WITH_BODIES = rejections.outerjoin(rejected_bodies, rejected_bodies.c.digest == rejections.c.body)
_BYTES = func.coalesce(rejected_bodies.c.bytes, rejections.c.bytes)
"""Older rows have their bytes themselves."""

_ADD_BODIES = text("""
    insert into scoring.rejected_bodies as body (digest, bytes, last_received_at)
    select * from unnest(
        cast(:digests as bytea[]), cast(:starts as bytea[]), cast(:received as timestamptz[])
    )
    on conflict (digest) do update
    set last_received_at = greatest(body.last_received_at, excluded.last_received_at)
""")
_ADD_REJECTIONS = text("""
    insert into scoring.rejections as row (
        key, source, event_id, received_at, last_received_at, count, code, reason, format,
        size, body
    )
    select
        key, source, event_id, received_at, received_at, count, code, reason, format, size, body
    from unnest(
        cast(:keys as bytea[]), cast(:sources as text[]), cast(:ids as text[]),
        cast(:received as timestamptz[]), cast(:counts as bigint[]), cast(:codes as text[]),
        cast(:reasons as text[]), cast(:formats as text[]), cast(:sizes as integer[]),
        cast(:bodies as bytea[])
    ) as added (key, source, event_id, received_at, count, code, reason, format, size, body)
    on conflict (key) do update
    set count = row.count + excluded.count,
        last_received_at = greatest(row.last_received_at, excluded.last_received_at)
""")


def add_rejections(session: Session, refused: Sequence[Rejection]) -> None:
    """Add the rejections in the order of their keys, so that two transactions cannot deadlock."""
    counted: dict[bytes, tuple[Rejection, int]] = {}
    for rejection in refused:
        key = rejection.key()
        first, times = counted.get(key, (rejection, 0))
        counted[key] = first, times + 1
    _add_bodies(session, {it.body.digest: it for it in refused})
    rows = sorted(counted.items())
    session.execute(
        _ADD_REJECTIONS,
        {
            "keys": [key for key, _ in rows],
            "sources": [it.source for _, (it, _) in rows],
            "ids": [it.event_id for _, (it, _) in rows],
            "received": [it.received_at for _, (it, _) in rows],
            "counts": [times for _, (_, times) in rows],
            "codes": [it.code for _, (it, _) in rows],
            "reasons": [it.reason for _, (it, _) in rows],
            "formats": [it.format for _, (it, _) in rows],
            "sizes": [it.body.size for _, (it, _) in rows],
            "bodies": [it.body.digest for _, (it, _) in rows],
        },
    )


def _add_bodies(session: Session, refused: dict[bytes, Rejection]) -> None:
    rows = sorted(refused.items())
    session.execute(
        _ADD_BODIES,
        {
            "digests": [digest for digest, _ in rows],
            "starts": [it.body.start for _, it in rows],
            "received": [it.received_at for _, it in rows],
        },
    )


@dataclass(frozen=True, slots=True)
class RejectionFilter:
    """Which rejections a list has; a field that is None filters nothing."""

    source: str | None = None
    code: str | None = None
    received: TimeRange = ALWAYS

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on the table of rejections."""
        names = {"source": self.source, "code": self.code}
        yield from (rejections.c[name] == it for name, it in names.items() if it is not None)
        yield from self.received.conditions(rejections.c.last_received_at)


def list_rejections(
    session: Session,
    rejection_filter: RejectionFilter,
    *,
    before: Position | None,
    limit: int,
    max_bytes: int,
) -> list[StoredRejection]:
    """Rejections, the latest first, from before a position on.

    The list ends with the rejection with which the bytes of all exceed `max_bytes`.
    """
    stored = rejections.c
    statement = _sizes().order_by(stored.last_received_at.desc(), stored.id.desc()).limit(limit)
    statement = statement.where(*rejection_filter.conditions())
    if before is not None:
        statement = statement.where(tuple_(stored.last_received_at, stored.id) < tuple_(*before))
    return _with_bytes(session, _within(session.execute(statement).all(), max_bytes))


def find_rejection(session: Session, id: int) -> StoredRejection | None:
    """The rejection with this id."""
    rows = session.execute(_sizes().where(rejections.c.id == id)).all()
    return next(iter(_with_bytes(session, rows)), None)


def delete_rejection(session: Session, id: int) -> None:
    """Delete the rejection; its body stays until it is old, since other rejections may have the same."""
    session.execute(delete(rejections).where(rejections.c.id == id))


def delete_rejections_before(session: Session, instant: datetime, *, limit: int) -> int:
    """Delete up to `limit` rejections that came last before the instant, or bodies if there are none; returns how many.

    A body came last when the last of its rejections did, so that the rejections of an old body are deleted before it.
    """
    return _delete_before(session, rejections, rejections.c.id, instant, limit) or _delete_before(
        session, rejected_bodies, rejected_bodies.c.digest, instant, limit
    )


def _delete_before(
    session: Session, table: Table, key: Column[Any], instant: datetime, limit: int
) -> int:
    received_at = table.c.last_received_at
    old = (
        select(key)
        .where(received_at < instant)
        .order_by(received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    deleted = session.execute(delete(table).where(key.in_(old)).returning(key))
    return len(deleted.all())


def _sizes() -> Select[Any]:
    """A query for rejections without their bytes, with the number of stored bytes."""
    stored = rejections.c
    return select(
        stored.id,
        stored.source,
        stored.event_id,
        stored.received_at,
        stored.last_received_at,
        stored.count.label("times"),
        stored.code,
        stored.reason,
        stored.format,
        stored.size,
        func.octet_length(_BYTES).label("kept"),
    ).select_from(_WITH_BODIES)


def _within(rows: Sequence[Row[Any]], max_bytes: int) -> Sequence[Row[Any]]:
    """The rows up to the one with which their bytes exceed `max_bytes`."""
    sums = accumulate(row.kept for row in rows)
    return rows[: sum(1 for _ in takewhile(lambda sum_: sum_ <= max_bytes, sums)) + 1]


def _with_bytes(session: Session, rows: Sequence[Row[Any]]) -> list[StoredRejection]:
    bytes_of = _bytes_of(session, [row.id for row in rows])
    return [
        StoredRejection(
            id=row.id,
            source=row.source,
            event_id=row.event_id,
            received_at=row.received_at,
            last_received_at=row.last_received_at,
            count=row.times,
            code=row.code,
            reason=row.reason,
            format=row.format,
            size=row.size,
            bytes=bytes_of[row.id],
        )
        for row in rows
    ]


def _bytes_of(session: Session, ids: Sequence[int]) -> dict[int, bytes]:
    is_listed = rejections.c.id == any_(literal(ids, ARRAY(BigInteger)))
    statement = select(rejections.c.id, _BYTES.label("bytes")).select_from(_WITH_BODIES)
    return {row.id: row.bytes for row in session.execute(statement.where(is_listed))}
