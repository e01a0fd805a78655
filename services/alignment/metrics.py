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
ANNOUNCEMENT_LATE = Gauge(
    "leadbaton_alignment_announcement_late_seconds",
    "How long the oldest day that is due has not been announced to marketing; 0 if all were.",
)
