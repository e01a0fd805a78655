"""Deliveries whose fallback is due: they wait for an endpoint that hangs or fails while the time to accept passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text, update
from sqlalchemy.orm import Session

from services.routing.domain.fallbacks import Undelivered, fallback_time
from services.routing.domain.notifications import ASSIGNED
from services.routing.queries.claims import notification_of
from services.routing.tables import deliveries


def held_endpoints(session: Session) -> list[str]:
    """The endpoints whose own breaker, or whose host's, is open: what waits for them has no certain turn."""
    return list(session.scalars(_HELD))


def claim_fallbacks(
    session: Session, endpoints: Sequence[str], *, limit: int, now: datetime
) -> tuple[list[Undelivered], int]:
    """The deliveries to these endpoints whose fallback is due, and how many were looked at; each is claimed once.

    Those whose rep has answered meanwhile, or whose handoff another rep has, are looked at and left out.
    """
    arguments = {"endpoints": list(endpoints), "now": now, "limit": limit}
    rows = session.execute(_CLAIM, arguments).all()
    undelivered = [
        Undelivered(notification_of(row), row.attempts_before, row.team)
        for row in rows
        if row.awaits_answer
    ]
    return undelivered, len(rows)


def cancel_without_endpoint(session: Session, *, now: datetime) -> int:
    """Cancel what waits for endpoints that do not exist any more; how many deliveries there were.

    A transaction that had read the endpoint before it was deleted may add one afterwards.
    """
    return len(session.execute(_CANCEL, {"now": now}).all())


def move_accept_times(
    session: Session, due_at: Mapping[tuple[UUID, int], datetime | None], *, now: datetime
) -> None:
    """Let fallbacks of assignments (handoff and hop) that are on their way follow another accept time, or none."""
    if not due_at:
        return
    session.connection().execute(
        update(deliveries)
        .where(
            deliveries.c.handoff_id == bindparam("of_handoff"),
            deliveries.c.hop == bindparam("of_hop"),
            deliveries.c.type == ASSIGNED,
            deliveries.c.state == "pending",
        )
        .values(accept_due_at=bindparam("due_at"), fallback_at=bindparam("at")),
        [
            {
                "of_handoff": handoff_id,
                "of_hop": hop,
                "due_at": at,
                "at": fallback_time(at, now=now),
            }
            for (handoff_id, hop), at in due_at.items()
        ],
    )


_HELD = text("""
    select distinct endpoints.id from routing.breakers
    join routing.endpoints on breakers.id in (endpoints.id, 'host/' || endpoints.host)
    where breakers.opened_at is not null and endpoints.disabled_at is null
    order by endpoints.id
""")

_CLAIM = text("""
    with late as (
        select id, handoff_id from routing.deliveries
        where endpoint = any(:endpoints) and state = 'pending' and fallback_at <= :now
            and (lease_until is null or lease_until <= :now)
        order by fallback_at limit :limit
        for update skip locked
    )
    update routing.deliveries as delivery set fallback_at = null
    from late left join routing.handoffs as handoff on handoff.id = late.handoff_id
    where delivery.id = late.id
    returning delivery.id, delivery.endpoint, delivery.handoff_id, delivery.hop, delivery.type,
        delivery.body, delivery.traceparent, delivery.accept_due_at, delivery.attempts_before,
        handoff.team, handoff.state = 'assigned' and handoff.hop = delivery.hop as awaits_answer
""")

_CANCEL = text("""
    with recursive waiting (endpoint) as (
        select min(endpoint) from routing.deliveries where state = 'pending'
        union all
        select (
            select min(later.endpoint) from routing.deliveries as later
            where later.state = 'pending' and later.endpoint > waiting.endpoint
        )
        from waiting where waiting.endpoint is not null
    )
    update routing.deliveries as orphan set state = 'cancelled', ended_at = :now
    from waiting
    where orphan.endpoint = waiting.endpoint and orphan.state = 'pending'
        and not exists (select from routing.endpoints where endpoints.id = waiting.endpoint)
    returning orphan.id
""")
"""The endpoints with pending deliveries come one after the other from an index, as in a claim."""
