"""What scoring counts."""

from __future__ import annotations

from prometheus_client import Counter

ANNOUNCED = Counter(
    "leadbaton_scoring_announced_total",
    "Leads that became, or ceased to be, qualified, by tier and cause.",
    ("change", "tier", "cause"),
)
