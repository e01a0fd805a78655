"""The gauges of routing: leads that wait for a rep, notifications that wait to be delivered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain.waiting import assignable_time
from services.routing.queries.pending_work import PendingWork, pending_work
from shared.agreement.store import Agreements
from shared.clock import TimeSource
from shared.db.session import Sessions


def set_gauges(sessions: Sessions, time_source: TimeSource, agreements: Agreements) -> None:
    """Set the gauges to what the database holds."""
    now = time_source()
    with sessions() as session:
        work = pending_work(session, now=now)
        assignable_s = _assignable_s(session, work, agreements, now)
    metrics.WAITING.clear()
    for team, leads in work.waiting.items():
        metrics.WAITING.labels(team).set(leads)
    metrics.WAITING_OLDEST_SECONDS.set(work.waiting_s(now))
    metrics.ASSIGNABLE_OLDEST_SECONDS.set(assignable_s)
    metrics.PENDING.set(work.pending)
    metrics.OVERDUE_SECONDS.set(work.overdue_s(now))
    metrics.DISABLED_ENDPOINTS.set(work.disabled_endpoints)
    metrics.HANGING.set(work.hanging)


def _assignable_s(
    session: Session, work: PendingWork, agreements: Agreements, now: datetime
) -> float:
    if not work.queues:
        return 0.0
    agreement = agreements.current(session).agreement
    return max(
        assignable_time(it, agreement, hours=work.hours[it.team], now=now).total_seconds()
        for it in work.queues
    )
