"""Pending work of routing: leads that wait for a rep, webhooks that wait to be delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.routing.domain.waiting import WaitingLeads
from services.routing.tables import endpoints, handoffs, reps


@dataclass(frozen=True, slots=True)
class PendingWork:
    """The numbers of the gauges."""

    queues: list[WaitingLeads]
    """Leads without a rep, by team and rule."""
    hours: dict[str, set[str | None]]
    """The calendars of each team's active reps; None: the team's."""
    pending: int
    """How many webhooks are neither delivered nor exhausted."""
    due_since: datetime | None
    """Since when the webhook is due that has been due longest, without those that wait for an open breaker."""
    disabled_endpoints: int
    hanging: int
    """How many hosts and endpoints hang and hold up webhooks."""

    def waiting_s(self, now: datetime) -> float:
        """How long the oldest lead has waited for a rep, in seconds."""
        return _age_s(min((it.since for it in self.queues), default=None), now)

    @property
    def waiting(self) -> dict[str, int]:
        """How many leads wait for a rep, by team."""
        leads = Counter[str]()
        for queue in self.queues:
            leads[queue.team] += queue.leads
        return leads

    def overdue_s(self, now: datetime) -> float:
        """How late the next webhook is, in seconds; 0 while it is not due yet."""
        return max(_age_s(self.due_since, now), 0.0)


def pending_work(session: Session, *, now: datetime) -> PendingWork:
    """Count the pending work, by partial indexes alone. A webhook with an attempt in flight is not due."""
    team, rule = handoffs.c.team, handoffs.c.rule
    waiting = (
        select(team, rule, func.count(), func.min(handoffs.c.qualified_at))
        .where(handoffs.c.state == "waiting")
        .group_by(team, rule)
    )
    queues = [WaitingLeads(*row) for row in session.execute(waiting)]
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
            where own.opened_at is null and shared.id is null
                and (pending.lease_until is null or pending.lease_until <= :now)
        ),
        (
            select count(*) from routing.breakers where breakers.hangs and exists (
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
