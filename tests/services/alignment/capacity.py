"""Plans of what two teams can take, and the handler that gets them as messages."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.alignment.handlers.capacity import on_capacity_planned
from shared.contracts.payloads import CapacityDay, CapacityPlanned
from shared.contracts.payloads.capacity import DAYS_AHEAD
from shared.contracts.topic import Message, Record
from shared.contracts.topics import CAPACITY_PLANNED
from tests.builders import NOON, outgoing

BEGIN = datetime(2026, 11, 1, tzinfo=NOON.tzinfo)
INBOUND, EMEA = 10, 3
"""What each of two teams can take on every date, unless a test says otherwise."""
ROUTING = {
    "teams": [{"id": it, "calendar": "office"} for it in ("inbound", "emea", "apac")],
    "rules": [{"id": "everybody", "when": True, "team": "inbound"}],
}


def plan(
    team: str = "inbound",
    leads: int = INBOUND,
    *,
    number: int = 1,
    at: datetime = BEGIN,
    **day: int,
) -> CapacityPlanned:
    """A plan of the same for each date."""
    dates = [at.date() + number * timedelta(days=1) for number in range(DAYS_AHEAD)]
    return CapacityPlanned(
        team=team,
        number=number,
        planned_at=at,
        agreement_version=1,
        days=tuple(CapacityDay(on=it, reps=1, leads=leads, **day) for it in dates),
    )


def read(session: Session, *plans: CapacityPlanned) -> None:
    """Read the plans as one batch."""
    on_capacity_planned(session, list(map(_message, plans)), NOON)


def _message(payload: CapacityPlanned) -> Message[CapacityPlanned]:
    sent = outgoing(CAPACITY_PLANNED, payload, id=f"{payload.team}/{payload.number}")
    return CAPACITY_PLANNED.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))
