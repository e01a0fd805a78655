"""The gauges of the SLA monitor, set from what the database holds."""

from __future__ import annotations

from services.sla_monitor import metrics
from services.sla_monitor.queries import clocks
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.process import logs

log = logs.get(__name__)


def set_gauges(sessions: Sessions, time_source: TimeSource) -> None:
    """Set the gauges of timers and breaches, and warn of timers that no sweep has fired."""
    with sessions() as session:
        counts = clocks.clock_counts(session, now=time_source())
    metrics.OVERDUE_TIMERS.set(counts.overdue_timers)
    metrics.OPEN_BREACHES.set(counts.open_breaches)
    metrics.AT_RISK.set(counts.at_risk)
    if counts.overdue_timers:
        log.warning("timers are overdue", timers=counts.overdue_timers)


def set_open_clocks(sessions: Sessions) -> None:
    """Set the gauge of open clocks: counting a million of them takes half a second."""
    with sessions() as session:
        metrics.OPEN_CLOCKS.set(clocks.count_open_clocks(session))
