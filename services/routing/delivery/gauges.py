"""The gauges of routing: leads that wait for a rep, notifications that wait to be delivered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain.waiting import takeable_time
from services.routing.queries.standing import Standing, standing_of
from shared.agreement.store import Agreements
from shared.clock import TimeSource
from shared.db.session import Sessions


def set_gauges(sessions: Sessions, time_source: TimeSource, agreements: Agreements) -> None:
    """Set the gauges to what the database holds."""
    now = time_source()
    with sessions() as session:
        standing = standing_of(session, now=now)
        takeable_s = _takeable_s(session, standing, agreements, now)
    metrics.WAITING.clear()
    for team, leads in standing.waiting.items():
        metrics.WAITING.labels(team).set(leads)
    metrics.WAITING_OLDEST_SECONDS.set(standing.waiting_s(now))
    metrics.TAKEABLE_OLDEST_SECONDS.set(takeable_s)
    metrics.PENDING.set(standing.pending)
    metrics.OVERDUE_SECONDS.set(standing.overdue_s(now))
    metrics.DISABLED_ENDPOINTS.set(standing.disabled_endpoints)
    metrics.HANGING.set(standing.hanging)


def _takeable_s(
    session: Session, standing: Standing, agreements: Agreements, now: datetime
) -> float:
    if not standing.queues:
        return 0.0
    agreement = agreements.current(session).agreement
    return max(
        takeable_time(it, agreement, hours=standing.hours[it.team], now=now).total_seconds()
        for it in standing.queues
    )
