"""How routing stands: who waits for a rep, what waits to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.routing.tables import endpoints, handoffs


@dataclass(frozen=True, slots=True)
class Standing:
    """What ops' gauges show."""

    waiting: dict[str, int]
    """Leads without a rep, by team."""
    waiting_since: datetime | None
    pending: int
    """Webhooks that are neither delivered nor given up."""
    due_since: datetime | None
    """When the one was due that should have been tried longest ago; who hangs holds up only its own."""
    disabled_endpoints: int
    hanging: int
    """Hosts and endpoints that hang and hold up webhooks."""

    def waiting_s(self, now: datetime) -> float:
        """How long the oldest lead has waited for a rep."""
        return _age_s(self.waiting_since, now)

    def overdue_s(self, now: datetime) -> float:
        """How late the next webhook is; 0 while it is not due yet."""
        return max(_age_s(self.due_since, now), 0.0)


def standing_of(session: Session, *, now: datetime) -> Standing:
    """Count what partial indexes hold. A webhook that somebody is trying just now is not due."""
    team = handoffs.c.team
    held_up = (
        select(team, func.count(), func.min(handoffs.c.qualified_at))
        .where(handoffs.c.state == "waiting")
        .group_by(team)
    )
    waiting = session.execute(held_up).all()
    pending, due_since, hanging = session.execute(_PENDING, {"now": now}).one()
    disabled = select(func.count()).where(endpoints.c.disabled_at.is_not(None))
    return Standing(
        waiting={name: count for name, count, _ in waiting},
        waiting_since=min((since for _, _, since in waiting), default=None),
        pending=pending,
        due_since=due_since,
        disabled_endpoints=session.scalar(disabled) or 0,
        hanging=hanging,
    )


def _age_s(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since is not None else 0.0


_PENDING = text("""
    select count(*),
        min(pending.next_attempt_at) filter (
            where own.id is null and shared.id is null
                and (pending.lease_until is null or pending.lease_until <= :now)
        ),
        (
            select count(*) from routing.breakers where exists (
                select from routing.endpoints
                join routing.deliveries as held on held.endpoint = endpoints.id
                where held.state = 'pending' and endpoints.disabled_at is null
                    and breakers.id in (endpoints.id, 'host/' || endpoints.host)
            )
        )
    from routing.deliveries as pending
    left join routing.endpoints
        on endpoints.id = pending.endpoint and endpoints.disabled_at is null
    left join routing.breakers as own on own.id = endpoints.id
    left join routing.breakers as shared on shared.id = 'host/' || endpoints.host
    where pending.state = 'pending'
""")
