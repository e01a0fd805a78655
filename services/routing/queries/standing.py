"""How routing stands: who waits for a rep, what waits to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.routing.tables import deliveries, endpoints, handoffs


@dataclass(frozen=True, slots=True)
class Standing:
    """What ops' gauges show."""

    waiting: dict[str, int]
    """Leads without a rep, by team."""
    waiting_since: datetime | None
    pending: int
    """Webhooks that are neither delivered nor given up."""
    due_since: datetime | None
    """When the one was due that should have been tried longest ago."""
    disabled_endpoints: int

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
    leased = deliveries.c.lease_until > now
    pending, due_since = session.execute(
        select(
            func.count(),
            func.min(deliveries.c.next_attempt_at).filter(func.coalesce(leased, False).is_(False)),
        ).where(deliveries.c.state == "pending")
    ).one()
    disabled = select(func.count()).where(endpoints.c.disabled_at.is_not(None))
    return Standing(
        waiting={name: count for name, count, _ in waiting},
        waiting_since=min((since for _, _, since in waiting), default=None),
        pending=pending,
        due_since=due_since,
        disabled_endpoints=session.scalar(disabled) or 0,
    )


def _age_s(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since is not None else 0.0
