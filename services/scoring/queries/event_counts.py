"""How many events were accepted, came again or were refused, by source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, delete, func, literal, select, text
from sqlalchemy.orm import Session

from services.scoring.tables import event_counts, rejections

MAX_REJECTIONS = 20_000
"""So many rejections are summed by source, the latest first."""


class SourceCounts(NamedTuple):
    """How many events of a source were accepted, came again, and were refused."""

    source: str
    accepted: int
    repeated: int
    rejected: int


_NONE = literal(0, BigInteger)

_ADD_COUNTS = text("""
    insert into scoring.event_counts as row (hour, source, counter, accepted, repeated)
    select cast(:hour as timestamptz), source, pg_backend_pid() % 64, accepted, repeated
    from unnest(cast(:sources as text[]), cast(:accepted as bigint[]), cast(:repeated as bigint[]))
        as added (source, accepted, repeated)
    on conflict (hour, source, counter) do update
        set accepted = row.accepted + excluded.accepted, repeated = row.repeated + excluded.repeated
""")


def add_counts(
    session: Session, arrivals: Mapping[str, int], *, accepted: Mapping[str, int], now: datetime
) -> None:
    """Add how many events of each source arrived and were accepted in this hour; all others are repeated ones.

    The sources are in order, so that nobody can deadlock.
    """
    sources = sorted(arrivals)
    if sources:
        session.execute(
            _ADD_COUNTS,
            {
                "hour": now.replace(minute=0, second=0, microsecond=0),
                "sources": sources,
                "accepted": [accepted.get(it, 0) for it in sources],
                "repeated": [arrivals[it] - accepted.get(it, 0) for it in sources],
            },
        )


def source_counts(session: Session, *, since: datetime) -> list[SourceCounts]:
    """The counts of each source that has any, of the hours that begin then or later, by source."""
    counted = (
        select(
            event_counts.c.source,
            func.sum(event_counts.c.accepted).label("accepted"),
            func.sum(event_counts.c.repeated).label("repeated"),
            _NONE.label("rejected"),
        )
        .where(event_counts.c.hour >= since)
        .group_by(event_counts.c.source)
    )
    latest = (
        select(rejections.c.source, rejections.c.count)
        .where(rejections.c.last_received_at >= since)
        .order_by(rejections.c.last_received_at.desc(), rejections.c.id.desc())
        .limit(MAX_REJECTIONS)
        .subquery()
    )
    rejected = select(
        latest.c.source,
        _NONE.label("accepted"),
        _NONE.label("repeated"),
        func.sum(latest.c.count).label("rejected"),
    ).group_by(latest.c.source)
    counts = counted.union_all(rejected).subquery().c
    statement = (
        select(
            counts.source,
            cast(func.sum(counts.accepted), BigInteger).label("accepted"),
            cast(func.sum(counts.repeated), BigInteger).label("repeated"),
            cast(func.sum(counts.rejected), BigInteger).label("rejected"),
        )
        .group_by(counts.source)
        .order_by(counts.source)
    )
    return [SourceCounts(**row) for row in session.execute(statement).mappings()]


def delete_counts_before(session: Session, instant: datetime) -> None:
    """Delete the counts of the hours that began before the instant."""
    session.execute(delete(event_counts).where(event_counts.c.hour < instant))
