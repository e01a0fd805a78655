"""The metrics of alignment."""

from __future__ import annotations

from prometheus_client import Gauge

RECOUNT_DIFFERENCES = Gauge(
    "leadbaton_alignment_recount_differences",
    "Sums that reports read and that the last nightly recount had to mend; should be 0.",
)
RECOUNT_FINISHED = Gauge(
    "leadbaton_alignment_recount_finished_timestamp_seconds",
    "When a nightly recount was last finished, in seconds since 1970; 0 before the first.",
)
