"""Repeated events: how many came again, by source and hour; beside them, how many were refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, delete, func, literal, select, text
from sqlalchemy.orm import Session

from services.scoring.tables import rejections, repeats

MAX_REJECTIONS = 20_000
"""So many rejections are summed by source, the latest first."""


class SourceCounts(NamedTuple):
    """How many events of a source came again, and how many were refused."""

    source: str
    repeated: int
    rejected: int


_NONE = literal(0, BigInteger)

_ADD_REPEATS = text("""
    insert into scoring.repeats as row (hour, source, counter, count)
    select cast(:hour as timestamptz), source, pg_backend_pid() % 64, count
    from unnest(cast(:sources as text[]), cast(:counts as bigint[])) as added (source, count)
    on conflict (hour, source, counter) do update set count = row.count + excluded.count
""")


def add_repeats(session: Session, counts: Mapping[str, int], *, now: datetime) -> None:
    """Count repeated events of each source in this hour; the sources are in order, so that nobody can deadlock."""
    if counts:
        sources = sorted(counts)
        session.execute(
            _ADD_REPEATS,
            {
                "hour": now.replace(minute=0, second=0, microsecond=0),
                "sources": sources,
                "counts": [counts[it] for it in sources],
            },
        )


def source_counts(session: Session, *, since: datetime) -> list[SourceCounts]:
    """The counts of each source that has any, of the hours that begin then or later, by source."""
    repeated = (
        select(
            repeats.c.source, func.sum(repeats.c.count).label("repeated"), _NONE.label("rejected")
        )
        .where(repeats.c.hour >= since)
        .group_by(repeats.c.source)
    )
    latest = (
        select(rejections.c.source, rejections.c.count)
        .where(rejections.c.last_received_at >= since)
        .order_by(rejections.c.last_received_at.desc(), rejections.c.id.desc())
        .limit(MAX_REJECTIONS)
        .subquery()
    )
    rejected = select(
        latest.c.source, _NONE.label("repeated"), func.sum(latest.c.count).label("rejected")
    ).group_by(latest.c.source)
    counts = repeated.union_all(rejected).subquery().c
    statement = (
        select(
            counts.source,
            cast(func.sum(counts.repeated), BigInteger).label("repeated"),
            cast(func.sum(counts.rejected), BigInteger).label("rejected"),
        )
        .group_by(counts.source)
        .order_by(counts.source)
    )
    return [SourceCounts(**row) for row in session.execute(statement).mappings()]


def delete_repeats_before(session: Session, instant: datetime) -> None:
    """Delete the counts of the hours that began before the instant."""
    session.execute(delete(repeats).where(repeats.c.hour < instant))
