"""What has happened so far, read from the services' own metrics and records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import text

EVENTS = text("select count(*) from scoring.events where received_at >= :since")
LEADS = text("select count(*) from scoring.leads where created_at >= :since")
QUALIFIED = text("select count(*) from routing.handoffs where qualified_at >= :since")
WAITING = text("select count(*) from routing.handoffs where state = 'waiting'")
ASSIGNED = text(
    "select rep, count(*) from routing.hops where assigned_at >= :since group by rep order by rep"
)
DELIVERED = text(
    "select count(*) from routing.deliveries where state = 'delivered' and ended_at >= :since"
)
CLOCKS = text(
    "select count(*) filter (where state = 'running'), count(*) filter (where state = 'met'), "
    "count(*) filter (where breached_at is not null and retracted_at is null), "
    "min(detected_at) filter (where breached_at is not null and retracted_at is null) "
    "from sla.clocks where started_at >= :since"
)
FIRST_EVENT = text("select min(received_at) from scoring.events where received_at >= :since")


@dataclass(frozen=True, slots=True)
class Figures:
    """A demonstration in numbers, since it began."""

    events_sent: int = 0
    events_accepted: int = 0
    events_rejected: int = 0
    duplicates_dropped: int = 0
    answers_lost: int = 0
    leads: int = 0
    qualified: int = 0
    assigned: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    delivered: int = 0
    running: int = 0
    met: int = 0
    breaches: int = 0
    seconds_to_first_event: float | None = None
    seconds_to_first_breach: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)
