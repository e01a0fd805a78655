"""The metrics that every process has. Each service defines its own in its `metrics` module."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from shared.agreement.cel.failures import FAILURES

HTTP_REQUEST_SECONDS = Histogram(
    "leadbaton_http_request_seconds",
    "Duration of requests, by the template of the route.",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
HTTP_REFUSED_CONNECTIONS = Counter(
    "leadbaton_http_refused_connections_total",
    "Connections that were closed because of an invalid, too large or too slow request, by error code.",
    ("code",),
)


def exposed() -> tuple[bytes, str]:
    """All metrics of this process as text, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST


class ConditionFailures(Collector):
    """Conditions of the agreement that could not be evaluated in this process, by rule and cause."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter with its present values."""
        counter = CounterMetricFamily(
            "leadbaton_condition_failures",
            "Evaluations of conditions that failed and were taken as false, by rule and cause.",
            labels=("rule", "cause"),
        )
        for (rule, cause), total in FAILURES.totals().items():
            counter.add_metric((rule, cause), total)
        yield counter


REGISTRY.register(ConditionFailures())
