"""The metrics that every process has; what is one service's own lies in that service."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest

HTTP_REQUEST_SECONDS = Histogram(
    "leadbaton_http_request_seconds",
    "How long requests took, by the route's template.",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def exposed() -> tuple[bytes, str]:
    """All metrics of this process as text, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
