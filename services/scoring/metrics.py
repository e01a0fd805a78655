"""The metrics of scoring."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter

from services.scoring.domain.verdict import Verdict

ANNOUNCED = Counter(
    "leadbaton_scoring_announced_total",
    "Leads that became, or ceased to be, qualified, by tier and cause.",
    ("change", "tier", "cause"),
)


def count_crossings(verdicts: Iterable[Verdict]) -> None:
    """Count the announcements about these leads."""
    for verdict in verdicts:
        for crossing in verdict.crossings:
            ANNOUNCED.labels(crossing.change, crossing.live.tier, crossing.cause).inc()
