"""How far each group is behind, as the relay has measured it last: APIs read it without asking Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.db.tables import lags


@dataclass(frozen=True, slots=True)
class TopicLag:
    """How many records of a topic a group had not processed when that was measured."""

    group: str
    topic: str
    records: int
    oldest_at: datetime | None
    """When the first of these records was written; None if there is none, or it could not be read."""
    measured_at: datetime


def save_lags(session: Session, measured: Sequence[TopicLag]) -> None:
    """Replace the lag of these groups in these topics."""
    if not measured:
        return
    statement = insert(lags)
    replaced = {name: statement.excluded[name] for name in ("records", "oldest_at", "measured_at")}
    rows = [
        {
            "consumer_group": lag.group,
            "topic": lag.topic,
            "records": lag.records,
            "oldest_at": lag.oldest_at,
            "measured_at": lag.measured_at,
        }
        for lag in sorted(measured, key=lambda it: (it.group, it.topic))
    ]
    session.execute(
        statement.on_conflict_do_update(index_elements=["consumer_group", "topic"], set_=replaced),
        rows,
    )


def stored_lags(session: Session) -> list[TopicLag]:
    """The lag of every group in every topic, by group and topic."""
    columns = lags.c
    statement = select(
        columns.consumer_group.label("group"),
        columns.topic,
        columns.records,
        columns.oldest_at,
        columns.measured_at,
    ).order_by(columns.consumer_group, columns.topic)
    return [TopicLag(**row) for row in session.execute(statement).mappings()]
