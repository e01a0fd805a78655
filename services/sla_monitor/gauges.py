"""The gauges of the SLA monitor, set from what the database holds."""

from __future__ import annotations

from services.sla_monitor import metrics
from services.sla_monitor.queries import timers
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.process import logs

log = logs.get(__name__)


def set_gauges(sessions: Sessions, time_source: TimeSource) -> None:
    """Set the gauges of timers and breaches, and warn of timers that no sweep has fired."""
    with sessions() as session:
        standing = timers.standing_of(session, now=time_source())
    metrics.OVERDUE_TIMERS.set(standing.overdue_timers)
    metrics.OPEN_BREACHES.set(standing.open_breaches)
    metrics.AT_RISK.set(standing.at_risk)
    if standing.overdue_timers:
        log.warning("timers are overdue", timers=standing.overdue_timers)


def set_open_clocks(sessions: Sessions) -> None:
    """Set the gauge of open clocks: counting a million of them takes half a second."""
    with sessions() as session:
        metrics.OPEN_CLOCKS.set(timers.open_clocks(session))
