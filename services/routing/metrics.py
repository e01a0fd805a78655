"""What routing counts."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

ASSIGNMENTS = Counter(
    "leadbaton_routing_assignments_total", "Leads given to a rep.", ("team", "by")
)
UNPLACED = Counter(
    "leadbaton_routing_unplaced_total",
    "Leads that nobody was eligible for when they came.",
    ("team",),
)
ANSWERS = Counter("leadbaton_routing_answers_total", "Answers of reps.", ("change",))
TRIES = Counter("leadbaton_delivery_tries_total", "Tries of webhooks.", ("type", "outcome"))
TRY_SECONDS = Histogram(
    "leadbaton_delivery_try_seconds",
    "How long tries of webhooks took.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
