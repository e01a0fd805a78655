"""How routing stands: who waits for a rep, what waits to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.routing.domain.waiting import Queue
from services.routing.tables import endpoints, handoffs, reps


@dataclass(frozen=True, slots=True)
class PendingWork:
    """What ops' gauges show."""

    queues: list[Queue]
    """Leads without a rep."""
    hours: dict[str, set[str | None]]
    """The calendars of each team's active reps; None: the team's."""
    pending: int
    """Webhooks that are neither delivered nor given up."""
    due_since: datetime | None
    """When the one was due that should have been tried longest ago; who hangs holds up only its own."""
    disabled_endpoints: int
    hanging: int
    """Hosts and endpoints that hang and hold up webhooks."""

    def waiting_s(self, now: datetime) -> float:
        """How long the oldest lead has waited for a rep."""
        return _age_s(min((it.since for it in self.queues), default=None), now)

    @property
    def waiting(self) -> dict[str, int]:
        """How many wait for a rep, by team."""
        leads = Counter[str]()
        for queue in self.queues:
            leads[queue.team] += queue.leads
        return leads

    def overdue_s(self, now: datetime) -> float:
        """How late the next webhook is; 0 while it is not due yet."""
        return max(_age_s(self.due_since, now), 0.0)


def pending_work(session: Session, *, now: datetime) -> PendingWork:
    """Count what partial indexes hold. A webhook that somebody is trying just now is not due."""
    team, rule = handoffs.c.team, handoffs.c.rule
    held_up = (
        select(team, rule, func.count(), func.min(handoffs.c.qualified_at))
        .where(handoffs.c.state == "waiting")
        .group_by(team, rule)
    )
    queues = [Queue(*row) for row in session.execute(held_up)]
    pending, due_since, hanging = session.execute(_PENDING, {"now": now}).one()
    disabled = select(func.count()).where(endpoints.c.disabled_at.is_not(None))
    return PendingWork(
        queues=queues,
        hours=_hours(session, {it.team for it in queues}),
        pending=pending,
        due_since=due_since,
        disabled_endpoints=session.scalar(disabled) or 0,
        hanging=hanging,
    )


def _hours(session: Session, teams: Collection[str]) -> dict[str, set[str | None]]:
    statement = select(reps.c.team, reps.c.hours).where(reps.c.active, reps.c.team.in_(teams))
    hours: dict[str, set[str | None]] = {it: set() for it in teams}
    for row in session.execute(statement.distinct()):
        hours[row.team].add(row.hours)
    return hours


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
