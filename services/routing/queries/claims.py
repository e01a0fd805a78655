"""Deliveries in hand: claimed with a lease, so that a crash gives back what it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from services.routing.domain.notices import Notice
from services.routing.tables import deliveries, endpoints


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends."""

    notice: Notice
    number: int
    """Of this try, from 1, over all rounds."""
    tried_before: int
    url: str
    secret: bytes
    """As it is kept: encrypted."""
    disabled: bool


_CLAIMED = (
    deliveries.c.id,
    deliveries.c.endpoint,
    deliveries.c.handoff_id,
    deliveries.c.hop,
    deliveries.c.type,
    deliveries.c.body,
    deliveries.c.traceparent,
    deliveries.c.attempts,
    deliveries.c.tried_before,
    endpoints.c.url,
    endpoints.c.secret,
    endpoints.c.disabled_at.is_not(None),
)
"""The columns of a `Claimed`, in the order of its fields."""


LOOKED_AT = 500
"""Of all that is due, the longest; or each claim would cost as much as there is, after an outage. Who has its part of
the hands already is not among them."""


def claim_deliveries(
    session: Session,
    *,
    most: int,
    most_an_endpoint: int,
    lease: timedelta,
    now: datetime,
    worker: str | None = None,
) -> list[Claimed]:
    """Take what is due, first tries first, and mark it ours for a while.

    Per handoff and endpoint only the oldest is due, so that a receiver hears things in their order; and no
    endpoint has more than its part of tries on their way at once.
    """
    chosen = _due(most=most, most_an_endpoint=most_an_endpoint, now=now)
    ids = list(session.scalars(chosen))
    if not ids:
        return []
    claim = (
        select(deliveries.c.id)
        .where(deliveries.c.id.in_(ids), deliveries.c.state == "pending", _free(now))
        .with_for_update(skip_locked=True)
        .cte("claim")
    )
    statement = (
        update(deliveries)
        .where(deliveries.c.id == claim.c.id, endpoints.c.id == deliveries.c.endpoint)
        .values(lease_until=now + lease, leased_by=worker, attempts=deliveries.c.attempts + 1)
        .returning(*_CLAIMED)
    )
    return [Claimed(Notice(*row[:7]), *row[7:]) for row in session.execute(statement)]


def free_leases(session: Session, worker: str) -> int:
    """Let go of what an earlier life of this worker had in hand; how many."""
    statement = (
        update(deliveries)
        .where(
            deliveries.c.state == "pending",
            deliveries.c.lease_until.is_not(None),
            deliveries.c.leased_by == worker,
        )
        .values(lease_until=None)
        .returning(deliveries.c.id)
    )
    return len(session.execute(statement).all())


def _due(*, most: int, most_an_endpoint: int, now: datetime) -> Select[UUID]:
    on_their_way = (
        select(deliveries.c.endpoint, func.count().label("tries"))
        .where(deliveries.c.state == "pending", deliveries.c.lease_until > now)
        .group_by(deliveries.c.endpoint)
        .cte("on_their_way")
    )
    busy = select(on_their_way.c.endpoint).where(on_their_way.c.tries >= most_an_endpoint)
    soonest = _soonest(busy, now).subquery("soonest")
    place = func.row_number().over(
        partition_by=soonest.c.endpoint,
        order_by=(soonest.c.attempts, soonest.c.next_attempt_at, soonest.c.position),
    )
    due = select(soonest, place.label("place")).subquery("due")
    return (
        select(due.c.id)
        .outerjoin(on_their_way, on_their_way.c.endpoint == due.c.endpoint)
        .where(due.c.place + func.coalesce(on_their_way.c.tries, 0) <= most_an_endpoint)
        .order_by(due.c.attempts > 0, due.c.position)
        .limit(most)
    )


def _soonest(busy: Select[str], now: datetime) -> Select[*tuple[Any, ...]]:
    """What has been due longest, to endpoints that are not busy, and is the oldest to its endpoint of its handoff."""
    earlier = deliveries.alias("earlier")
    return (
        select(
            deliveries.c.id,
            deliveries.c.endpoint,
            deliveries.c.attempts,
            deliveries.c.next_attempt_at,
            deliveries.c.position,
        )
        .where(
            deliveries.c.endpoint.not_in(busy),
            deliveries.c.state == "pending",
            deliveries.c.next_attempt_at <= now,
            _free(now),
            ~exists().where(
                earlier.c.endpoint == deliveries.c.endpoint,
                earlier.c.handoff_id == deliveries.c.handoff_id,
                earlier.c.position < deliveries.c.position,
                earlier.c.state == "pending",
            ),
        )
        .order_by(deliveries.c.next_attempt_at)
        .limit(LOOKED_AT)
    )


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= now)
