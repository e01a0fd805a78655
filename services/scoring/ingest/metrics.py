"""The metrics of ingest."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter

EVENTS = Counter(
    "leadbaton_ingest_events_total",
    "Events that came in, by what became of them: ok, the code of a refusal, or retry.",
    ("format", "outcome"),
)
PUBLISHED = Counter(
    "leadbaton_ingest_published_total",
    "Accepted events, by where they were put first: kafka or outbox.",
    ("where",),
)
TO_KAFKA, TO_OUTBOX = PUBLISHED.labels("kafka"), PUBLISHED.labels("outbox")
WARNINGS = Counter(
    "leadbaton_ingest_warnings_total",
    "Warnings about accepted events, by source: identifiers and traits that have no effect.",
    ("source", "code"),
)
UNKEPT = Counter(
    "leadbaton_ingest_rejections_unkept_total",
    "Refused events that could not be kept, such as while the database was away.",
)


@cache
def events(format_name: str, outcome: str) -> Counter:
    """The counter of one outcome; cached, as finding its labels took as long as reading the event."""
    return EVENTS.labels(format_name, outcome)
