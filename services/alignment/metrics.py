"""The metrics of alignment."""

from __future__ import annotations

from prometheus_client import Gauge

STALE_DAYS = Gauge(
    "leadbaton_alignment_stale_days",
    "Days on which something has changed since they were counted, or whose wins are credited by an older agreement; "
    "reports read their handoffs one by one.",
)
STALE_SINCE = Gauge(
    "leadbaton_alignment_stale_since_timestamp_seconds",
    "Since when the first of these days has been stale, in seconds since 1970; 0: no day is.",
)
ANNOUNCEMENT_LATE = Gauge(
    "leadbaton_alignment_announcement_late_seconds",
    "How long the oldest day that is due has not been announced to marketing; 0 if all were.",
)
