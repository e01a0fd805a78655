"""Lists of deliveries with their attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, func, literal, select, tuple_
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
    handoff_id: UUID | None
    hop: int
    type: str
    state: str
    attempt_count: int
    next_attempt_at: datetime
    created_at: datetime
    ended_at: datetime | None
    attempts: Sequence[AttemptRecord] = ()


_FIELDS = tuple(it.name for it in fields(Delivery) if it.name != "attempts")


StatusClass = Literal["2xx", "3xx", "4xx", "5xx", "none"]
"""The class of the status with which the last attempt was answered; `none`: it was not answered."""

MAX_SCANNED = 20_000
"""How many deliveries a page looks at for a type or a class of status, which no index has."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list has; a field that is None filters nothing."""

    id: UUID | None = None
    endpoint: str | None = None
    state: str | None = None
    handoff: UUID | None = None
    created: TimeRange = ALWAYS
    type: str | None = None
    status: StatusClass | None = None

    @property
    def scans(self) -> bool:
        """Whether deliveries must be looked at, because no index has what the list asks for."""
        return self.type is not None or self.status is not None

    def indexed_conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on the table of deliveries that an index has."""
        names = {"id": self.id, "endpoint": self.endpoint, "handoff_id": self.handoff}
        yield from (deliveries.c[name] == it for name, it in names.items() if it is not None)
        if self.state is not None:  # a partial index needs the text itself
            yield deliveries.c.state == literal(self.state, literal_execute=True)
        yield from self.created.conditions(deliveries.c.created_at)

    def scanned_conditions(self, scanned: Subquery) -> Iterator[ColumnElement[bool]]:
        """The conditions on deliveries that are looked at."""
        if self.type is not None:
            yield scanned.c.type == self.type
        if self.status is not None:
            first = 0 if self.status == "none" else int(self.status.removesuffix("xx")) * 100
            yield _last_status(scanned).between(first, first + 99)


EVERY_DELIVERY = DeliveryFilter()

Position = tuple[datetime, int]
"""Where a delivery stands in a list: `created_at`, then `position`."""

_NEWEST = (deliveries.c.created_at, deliveries.c.position)


def _last_status(scanned: Subquery) -> ScalarSelect[Any]:
    """The status of the last attempt, 0 if it was not answered; null before the first attempt is over."""
    return (
        select(func.coalesce(attempts.c.status, 0))
        .where(attempts.c.delivery_id == scanned.c.id)
        .order_by(attempts.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def list_deliveries(
    session: Session,
    delivery_filter: DeliveryFilter = EVERY_DELIVERY,
    *,
    before: Position | None = None,
    limit: int,
) -> list[Delivery]:
    """Deliveries with their attempts, the newest first, from before a position on.

    For a type or a class of status it looks at MAX_SCANNED deliveries at most; `scan_end` says where it stopped.
    """
    statement = _newest_first(delivery_filter, before)
    if delivery_filter.scans:
        scanned = statement.limit(MAX_SCANNED).subquery()
        statement = select(*scanned.c).where(*delivery_filter.scanned_conditions(scanned))
        statement = statement.order_by(scanned.c.created_at.desc(), scanned.c.position.desc())
    rows = session.execute(statement.limit(limit)).mappings().all()
    attempts_by_id = attempts_of(session, [row["id"] for row in rows])
    return [Delivery(**row, attempts=attempts_by_id.get(row["id"], ())) for row in rows]


def scan_end(
    session: Session,
    delivery_filter: DeliveryFilter,
    *,
    before: Position | None,
    scanned: int = MAX_SCANNED,
) -> Position | None:
    """The position of the last delivery that `list_deliveries` looks at; None where it looks at all of them."""
    if not delivery_filter.scans:
        return None
    statement = _newest_first(delivery_filter, before).with_only_columns(*_NEWEST)
    row = session.execute(statement.offset(scanned - 1).limit(1)).first()
    return None if row is None else (row.created_at, row.position)


def _newest_first(
    delivery_filter: DeliveryFilter, before: Position | None
) -> Select[*tuple[Any, ...]]:
    statement = select(*(deliveries.c[it] for it in _FIELDS))
    statement = statement.where(*delivery_filter.indexed_conditions())
    if before is not None:
        statement = statement.where(tuple_(*_NEWEST) < before)
    return statement.order_by(*(column.desc() for column in _NEWEST))


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
