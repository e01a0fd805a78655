"""The figures of a demonstration, read from the services' own metrics and tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from services.demo.setup import Access

STORED_EVENTS = text(
    "select count(*), min((payload ->> 'received_at')::timestamptz) "
    "from scoring.events where starts_with(id, :run)"
)
LEADS = text(
    "select count(*) from scoring.leads where known and merged_into is null and since >= :since"
)
REJECTED = text("select count(*) from scoring.rejections where received_at >= :since")
HANDOFFS = text(
    "select count(*) filter (where qualified_at >= :since), "
    "count(*) filter (where state = 'waiting') from routing.handoffs"
)
ASSIGNED = text(
    "select rep, count(*) as leads from routing.assignments "
    "where assigned_at >= :since and rep is not null group by rep order by rep"
)
DELIVERED = text(
    "select count(*) from routing.deliveries where state = 'delivered' and ended_at >= :since"
)
CLOCKS = text(
    "select count(*) filter (where state = 'running'), count(*) filter (where state = 'met'), "
    "count(*) filter (where breached_at is not null and retracted_at is null), "
    "min(detected_at) filter (where breached_at is not null and retracted_at is null) "
    "from sla.clocks join sla.timers on clock_id = id where started_at >= :since"
)
EVENTS = "leadbaton_ingest_events_total"


@dataclass(frozen=True, slots=True)
class Figures:
    """A demonstration in numbers, since it began."""

    events_sent: int = 0
    events_accepted: int = 0
    events_rejected: int = 0
    events_kept: int = 0
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
        """All figures, as JSON values."""
        return {**asdict(self), "duplicates_dropped": self.duplicates_dropped}

    @property
    def duplicates_dropped(self) -> int:
        """How many accepted events are not stored: repeats, and events that are still on their way."""
        return self.events_accepted - self.events_kept

    @property
    def all_arrived(self) -> bool:
        """Whether every event that was sent is stored."""
        return self.events_kept >= self.events_sent > 0


class Reader:
    """Reads the figures of one demonstration from the services."""

    def __init__(
        self, access: Access, *, run: str, started_at: datetime, began_at: datetime
    ) -> None:
        self._access = access
        self._run = f"{run}-"
        self._started_at = started_at
        self._began_at = began_at
        self._http = httpx.Client(timeout=5)
        self._sent = 0
        self._lost = 0

    def set_sent(self, *, sent: int, lost: int) -> None:
        """Set the numbers of events sent and of answers lost, which are in no table."""
        self._sent, self._lost = sent, lost

    def read(self) -> Figures:
        """The figures at this instant."""
        since = {"since": self._began_at}
        accepted = self._accepted()
        with self._access.sessions() as session:
            events, first_event = session.execute(STORED_EVENTS, {"run": self._run}).one()
            qualified, waiting = session.execute(HANDOFFS, since).one()
            running, met, breaches, first_breach = session.execute(CLOCKS, since).one()
            return Figures(
                events_sent=self._sent,
                events_accepted=accepted,
                events_rejected=session.scalar(REJECTED, since) or 0,
                events_kept=events,
                answers_lost=self._lost,
                leads=session.scalar(LEADS, since) or 0,
                qualified=qualified,
                assigned={row.rep: row.leads for row in session.execute(ASSIGNED, since)},
                waiting=waiting,
                delivered=session.scalar(DELIVERED, since) or 0,
                running=running,
                met=met,
                breaches=breaches,
                seconds_to_first_event=_seconds(self._started_at, first_event),
                seconds_to_first_breach=_seconds(first_event, first_breach),
            )

    def _accepted(self) -> int:
        """How many events the scoring API has answered with `ok` since it started."""
        exposed = self._http.get(f"{self._access.scoring}/metrics").text
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(exposed)
            for sample in family.samples
            if sample.name == EVENTS and sample.labels["outcome"] == "ok"
        )


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return round((until - since).total_seconds(), 1)
