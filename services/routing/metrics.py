"""The counters and gauges of routing."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ASSIGNMENTS = Counter(
    "leadbaton_routing_assignments_total",
    "Leads that were assigned to a rep.",
    ("team", "strategy"),
)
UNASSIGNED = Counter(
    "leadbaton_routing_unassigned_total",
    "Leads for which no rep was eligible when they qualified or came back.",
    ("team",),
)
ANSWERS = Counter("leadbaton_routing_answers_total", "Answers of reps.", ("change",))
ESCALATIONS = Counter(
    "leadbaton_routing_escalations_total",
    "Steps of ladders that were to take a handoff from its rep, by what came of them.",
    ("step", "outcome"),
)
ATTEMPTS = Counter(
    "leadbaton_delivery_attempts_total", "Attempts of webhooks.", ("type", "outcome")
)
ATTEMPT_SECONDS = Histogram(
    "leadbaton_delivery_attempt_seconds",
    "How long attempts of webhooks took.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
UNRECORDED = Counter(
    "leadbaton_delivery_unrecorded_total",
    "Attempts of webhooks that could not be recorded completely, by the part that was left out.",
    ("unrecorded",),
)
WAITING = Gauge("leadbaton_routing_waiting", "Leads that wait for a rep.", ("team",))
WAITING_OLDEST_SECONDS = Gauge(
    "leadbaton_routing_waiting_oldest_seconds", "How long the oldest lead has waited for a rep."
)
ASSIGNABLE_OLDEST_SECONDS = Gauge(
    "leadbaton_routing_assignable_oldest_seconds",
    "How long a lead has waited while a rep could have got it: in working hours, where its rule asks for them.",
)
PENDING = Gauge("leadbaton_delivery_pending", "Webhooks that are neither delivered nor exhausted.")
OVERDUE_SECONDS = Gauge(
    "leadbaton_delivery_overdue_seconds",
    "How long the next webhook has been due without an attempt; it should be near 0.",
)
DISABLED_ENDPOINTS = Gauge(
    "leadbaton_delivery_disabled_endpoints", "Endpoints that get no webhooks any more."
)
HANGING = Gauge(
    "leadbaton_delivery_hanging",
    "Hosts and endpoints that time out and hold up webhooks: one attempt at a time until they answer.",
)
