"""Deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import any_, literal, literal_column, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from services.routing.domain.attempts import Delivered, Outcome, Response, Retry
from services.routing.domain.fallbacks import fallback_time
from services.routing.domain.notifications import Notification
from services.routing.queries import endpoints
from services.routing.tables import attempts, deliveries
from shared.db.copying import copy_rows
from shared.db.time_range import TimeRange

CHANNEL = "leadbaton_deliveries"
"""The channel on which PostgreSQL notifies the delivery of new deliveries."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt with its response."""

    number: int
    at: datetime
    took_ms: float
    response: Response
    attempts_before: int
    """How many attempts there were before the last redelivery, as it was when the attempt began."""

    @property
    def ended_at(self) -> datetime:
        """When the attempt was over."""
        return self.at + timedelta(milliseconds=self.took_ms)


@dataclass(frozen=True, slots=True)
class ReplayRange:
    """The deliveries to one endpoint that are sent again: those created from `since` on and before `until`."""

    endpoint: str
    since: datetime
    until: datetime
    type: str | None = None


def add_notifications(
    session: Session, notifications: Sequence[Notification], *, now: datetime
) -> None:
    """Insert deliveries; those that exist, or whose endpoint does not, are left out."""
    known = endpoints.known_endpoints(session, {it.endpoint for it in notifications})
    rows = [_row(it, now) for it in notifications if it.endpoint in known]
    if rows:
        session.execute(
            insert(deliveries).on_conflict_do_nothing(),
            [dict(zip(_COLUMNS, it, strict=True)) for it in rows],
        )
        session.execute(text(f"notify {CHANNEL}"))


def add_first_notifications(
    session: Session, notifications: Iterable[Notification], *, now: datetime
) -> None:
    """Insert deliveries that are new, to endpoints that exist; each is made while others are copied."""
    copy_rows(session, deliveries, _COLUMNS, (_row(it, now) for it in notifications))
    session.execute(text(f"notify {CHANNEL}"))


_SAVE_OUTCOMES = text("""
    update routing.deliveries as row
    set lease_until = null, state = tried.state, ended_at = tried.ended_at,
        next_attempt_at = coalesce(tried.again_at, row.next_attempt_at)
    from unnest(
        cast(:ids as uuid[]), cast(:numbers as integer[]), cast(:states as text[]),
        cast(:ended as timestamptz[]), cast(:again as timestamptz[]), cast(:before as integer[])
    ) as tried (id, number, state, ended_at, again_at, before)
    where row.id = tried.id and row.state = 'pending' and row.attempt_count = tried.number
        and row.attempts_before = tried.before
    returning row.id
""")


SavedAttempt = tuple[UUID, Attempt, Outcome]
"""A delivery's id, its attempt, and the outcome."""


def save_attempts(session: Session, ended: Sequence[SavedAttempt]) -> set[UUID]:
    """Record attempts and their outcomes. Returns the same ids as `save_outcomes`."""
    session.connection().execute(
        insert(attempts).on_conflict_do_nothing(),
        [
            {
                "delivery_id": id,
                "number": it.number,
                "at": it.at,
                "took_ms": round(it.took_ms, 1),
                "status": it.response.status,
                "detail": it.response.detail,
            }
            for id, it, _ in ended
        ],
    )
    return save_outcomes(session, ended)


def save_outcomes(session: Session, ended: Sequence[SavedAttempt]) -> set[UUID]:
    """Record outcomes. Returns the changed deliveries' ids: not those that ended or were redelivered meanwhile."""
    after = [_after(it, outcome) for _, it, outcome in ended]
    arguments = {
        "ids": [id for id, _, _ in ended],
        "numbers": [it.number for _, it, _ in ended],
        "states": [state for state, _, _ in after],
        "ended": [ended_at for _, ended_at, _ in after],
        "again": [again_at for _, _, again_at in after],
        "before": [it.attempts_before for _, it, _ in ended],
    }
    return set(session.scalars(_SAVE_OUTCOMES, arguments))


def _after(attempt: Attempt, outcome: Outcome) -> tuple[str, datetime | None, datetime | None]:
    """The delivery's state, when it ended, and when it is attempted again, after this attempt."""
    match outcome:
        case Retry(at=again):
            return "pending", None, again
        case Delivered():
            return "delivered", attempt.at, None
        case _:
            return "exhausted", attempt.at, None


def exhaust(session: Session, id: UUID, *, now: datetime) -> None:
    """End a delivery that cannot be claimed."""
    session.execute(
        update(deliveries)
        .where(deliveries.c.id == id, deliveries.c.state == "pending")
        .values(state="exhausted", ended_at=now)
    )


def cancel_deliveries(
    session: Session, endpoint_of: Mapping[UUID, str], *, types: Collection[str], now: datetime
) -> None:
    """Cancel the pending deliveries of these types to the endpoint of each handoff."""
    session.execute(
        update(deliveries)
        .where(
            tuple_(deliveries.c.handoff_id, deliveries.c.endpoint).in_(endpoint_of.items()),
            deliveries.c.state == "pending",
            deliveries.c.type.in_(types),
        )
        .values(state="cancelled", ended_at=now)
    )


def cancel_waiting(
    session: Session,
    handoff_ids: Collection[UUID],
    *,
    now: datetime,
    clock_ids: Collection[UUID] | None = None,
) -> None:
    """Cancel messages about these handoffs that wait for the hours of their receivers.

    With `clock_ids` those about these clocks alone.
    """
    if not handoff_ids:
        return
    conditions = [
        deliveries.c.handoff_id == any_(literal(list(handoff_ids), ARRAY(PG_UUID(as_uuid=True)))),
        deliveries.c.clock_id.is_not(None),
        deliveries.c.state == "pending",
        deliveries.c.attempt_count == 0,
        deliveries.c.next_attempt_at > now,
    ]
    if clock_ids is not None:
        conditions.append(deliveries.c.clock_id.in_(clock_ids))
    session.execute(update(deliveries).where(*conditions).values(state="cancelled", ended_at=now))


def delay_behind_attempts(session: Session, ids: Collection[UUID], *, now: datetime) -> None:
    """Let these deliveries wait for attempts in flight, of cancelled deliveries of the same handoffs and endpoints."""
    session.execute(_DELAY, {"ids": list(ids), "now": now})


_DELAY = text("""
    update routing.deliveries as later set next_attempt_at = in_flight.ends
    from (
        select endpoint, handoff_id, max(lease_until) as ends from routing.deliveries
        where handoff_id in (select handoff_id from routing.deliveries where id = any(:ids))
            and state = 'cancelled' and lease_until > :now
        group by endpoint, handoff_id
    ) as in_flight
    where later.id = any(:ids) and later.state = 'pending' and later.attempt_count = 0
        and later.endpoint = in_flight.endpoint and later.handoff_id = in_flight.handoff_id
""")


def cancel_for_endpoints(session: Session, ids: Collection[str], *, now: datetime) -> int:
    """Cancel the pending deliveries to these endpoints; how many there were."""
    statement = (
        update(deliveries)
        .where(deliveries.c.endpoint.in_(ids), deliveries.c.state == literal_column("'pending'"))
        .values(state="cancelled", ended_at=now)
        .returning(deliveries.c.id)
    )
    return len(session.scalars(statement).all())


def locked_replayable(session: Session, replay_range: ReplayRange, *, limit: int) -> list[UUID]:
    """The deliveries of the range that were delivered or are exhausted, the oldest first, locked."""
    conditions = [
        deliveries.c.endpoint == replay_range.endpoint,
        deliveries.c.state.in_(("delivered", "exhausted")),
        *TimeRange(replay_range.since, replay_range.until).conditions(deliveries.c.created_at),
    ]
    if replay_range.type is not None:
        conditions.append(deliveries.c.type == replay_range.type)
    statement = select(deliveries.c.id).where(*conditions)
    statement = statement.order_by(deliveries.c.created_at, deliveries.c.position)
    return list(session.scalars(statement.limit(limit).with_for_update()))


def redeliver(session: Session, id: UUID, *, now: datetime) -> bool:
    """Start the delivery's attempts anew, with the same id; False if there is no such delivery."""
    return redeliver_all(session, [id], now=now) == 1


def redeliver_all(session: Session, ids: Collection[UUID], *, now: datetime) -> int:
    """Start the attempts of these deliveries anew, with the same ids; how many there are."""
    statement = (
        update(deliveries)
        .where(deliveries.c.id == any_(literal(list(ids), ARRAY(PG_UUID(as_uuid=True)))))
        .values(
            state="pending",
            next_attempt_at=now,
            lease_until=None,
            ended_at=None,
            clock_id=None,  # it is sent whatever becomes of the promise
            attempts_before=deliveries.c.attempt_count,
        )
        .returning(deliveries.c.id)
    )
    started = session.scalars(statement).all()
    session.execute(text(f"notify {CHANNEL}"))
    return len(started)


_COLUMNS = (
    "id",
    "endpoint",
    "handoff_id",
    "hop",
    "type",
    "body",
    "traceparent",
    "state",
    "next_attempt_at",
    "created_at",
    "accept_due_at",
    "fallback_at",
    "clock_id",
)


def _row(notification: Notification, now: datetime) -> tuple[Any, ...]:
    return (
        notification.id,
        notification.endpoint,
        notification.handoff_id,
        notification.hop,
        notification.type,
        notification.body,
        notification.traceparent,
        "pending",
        max(now, notification.not_before or now),
        now,
        notification.accept_due_at,
        fallback_time(notification.accept_due_at, now=now),
        notification.clock_id,
    )
