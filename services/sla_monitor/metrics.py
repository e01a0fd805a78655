"""What the SLA monitor measures of itself."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LATENESS = Histogram(
    "leadbaton_sla_lateness_seconds",
    "From the instant at which something was due to the instant at which a sweep found it.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
)
FIRED = Counter(
    "leadbaton_sla_fired_total", "Steps that sweeps took, by what they were.", ["change"]
)
OVERDUE_TIMERS = Gauge(
    "leadbaton_sla_overdue_timers", "Timers that nobody fired within 10 s; should be 0."
)
OPEN_CLOCKS = Gauge(
    "leadbaton_sla_open_clocks", "Promises whose clock runs; counted every 5 minutes."
)
OPEN_BREACHES = Gauge("leadbaton_sla_open_breaches", "Promises that are broken and still open.")
AT_RISK = Gauge("leadbaton_sla_at_risk", "Promises past their warning and not yet due.")
