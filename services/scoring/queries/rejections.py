"""The SQL of rejections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from services.scoring.tables import rejections


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that was refused: the start of its bytes, all of its size, and why."""

    source: str
    event_id: str | None
    received_at: datetime
    code: str
    reason: str
    size: int
    bytes: bytes
    id: int = 0


def add_rejections(session: Session, refused: Sequence[Rejection]) -> None:
    """Keep what was refused."""
    rows = [
        {
            "source": it.source,
            "event_id": it.event_id,
            "received_at": it.received_at,
            "code": it.code,
            "reason": it.reason,
            "size": it.size,
            "bytes": it.bytes,
        }
        for it in refused
    ]
    session.execute(insert(rejections), rows)


def rejections_of(
    session: Session, *, source: str | None, code: str | None, before: int | None, limit: int
) -> list[Rejection]:
    """The newest first, of this source and code if they are given, older than `before`."""
    kept = rejections.c
    statement = select(
        kept.source,
        kept.event_id,
        kept.received_at,
        kept.code,
        kept.reason,
        kept.size,
        kept.bytes,
        kept.id,
    )
    for column, wanted in ((kept.source, source), (kept.code, code)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if before is not None:
        statement = statement.where(kept.id < before)
    rows = session.execute(statement.order_by(kept.id.desc()).limit(limit))
    return [Rejection(*row) for row in rows]
