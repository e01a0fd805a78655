"""The metrics of the SLA monitor."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LATENESS = Histogram(
    "leadbaton_sla_lateness_seconds",
    "From the instant at which something was due on a clock to the instant at which a sweep found it.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
)
FIRED = Counter(
    "leadbaton_sla_fired_total",
    "Transitions of clocks that sweeps fired, by the change.",
    ["change"],
)
OVERDUE_TIMERS = Gauge(
    "leadbaton_sla_overdue_timers", "Timers that were not fired within 10 s; should be 0."
)
OPEN_CLOCKS = Gauge("leadbaton_sla_open_clocks", "Clocks that run; counted every 5 minutes.")
OPEN_BREACHES = Gauge(
    "leadbaton_sla_open_breaches", "Clocks that are past their due time and still run."
)
RECOUNT_DIFFERENCES = Gauge(
    "leadbaton_sla_recount_differences",
    "Counts that reports read and that the last nightly recount had to mend; should be 0.",
)
RECOUNT_FINISHED = Gauge(
    "leadbaton_sla_recount_finished_timestamp_seconds",
    "When a nightly recount was last finished, in seconds since 1970; 0 before the first.",
)
AT_RISK = Gauge("leadbaton_sla_at_risk", "Clocks past their warning and not yet due.")
