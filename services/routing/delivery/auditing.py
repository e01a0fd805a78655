"""What ops see of routing: who waits for a rep, what waits to be told."""

from __future__ import annotations

from services.routing import metrics
from services.routing.queries.standing import standing_of
from shared.clock import Clock
from shared.db.session import Sessions


def audit(sessions: Sessions, clock: Clock) -> None:
    """Set the gauges to what the database holds."""
    now = clock()
    with sessions() as session:
        standing = standing_of(session, now=now)
    metrics.WAITING.clear()
    for team, leads in standing.waiting.items():
        metrics.WAITING.labels(team).set(leads)
    metrics.WAITING_OLDEST_SECONDS.set(standing.waiting_s(now))
    metrics.PENDING.set(standing.pending)
    metrics.OVERDUE_SECONDS.set(standing.overdue_s(now))
    metrics.DISABLED_ENDPOINTS.set(standing.disabled_endpoints)
    metrics.HANGING.set(standing.hanging)
