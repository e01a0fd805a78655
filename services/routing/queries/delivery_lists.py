"""Lists of deliveries with their attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from services.routing.tables import attempts, deliveries
from shared.db.time_range import ALWAYS, TimeRange


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt as it was recorded."""

    number: int
    at: datetime
    took_ms: float
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery with its attempts, in order."""

    id: UUID
    position: int
    endpoint: str
    handoff_id: UUID
    hop: int
    type: str
    state: str
    attempt_count: int
    next_attempt_at: datetime
    created_at: datetime
    ended_at: datetime | None
    attempts: Sequence[AttemptRecord] = ()


_FIELDS = tuple(it.name for it in fields(Delivery) if it.name != "attempts")


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list has; a field that is None filters nothing."""

    id: UUID | None = None
    state: str | None = None
    handoff: UUID | None = None
    created: TimeRange = ALWAYS

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on the table of deliveries."""
        names = {"id": self.id, "state": self.state, "handoff_id": self.handoff}
        yield from (deliveries.c[name] == it for name, it in names.items() if it is not None)
        yield from self.created.conditions(deliveries.c.created_at)


EVERY_DELIVERY = DeliveryFilter()


def list_deliveries(
    session: Session,
    delivery_filter: DeliveryFilter = EVERY_DELIVERY,
    *,
    before: int | None = None,
    limit: int,
) -> list[Delivery]:
    """Deliveries with their attempts, the newest first, from before a position on."""
    statement = select(*(deliveries.c[it] for it in _FIELDS)).where(*delivery_filter.conditions())
    statement = statement.order_by(deliveries.c.position.desc()).limit(limit)
    if before is not None:
        statement = statement.where(deliveries.c.position < before)
    rows = session.execute(statement).mappings().all()
    attempts_by_id = attempts_of(session, [row["id"] for row in rows])
    return [Delivery(**row, attempts=attempts_by_id.get(row["id"], ())) for row in rows]


def attempts_of(session: Session, ids: Collection[UUID]) -> dict[UUID, list[AttemptRecord]]:
    """Every attempt of the deliveries, in order, by delivery."""
    statement = (
        select(*attempts.c)
        .where(attempts.c.delivery_id.in_(ids))
        .order_by(attempts.c.delivery_id, attempts.c.number)
    )
    records: dict[UUID, list[AttemptRecord]] = {}
    for row in session.execute(statement):
        record = AttemptRecord(row.number, row.at, row.took_ms, row.status, row.detail)
        records.setdefault(row.delivery_id, []).append(record)
    return records
