"""Plans of what two teams can take, the handler that gets them as messages, and the API that tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from services.alignment.handlers.capacity import on_capacity_planned
from services.alignment.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import CapacityDay, CapacityPlanned
from shared.contracts.payloads.capacity import DAYS_AHEAD
from shared.contracts.topic import Message, Record
from shared.contracts.topics import CAPACITY_PLANNED
from shared.db.session import Sessions
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


@contextmanager
def api_at_noon(sessions: Sessions) -> Iterator[TestClient]:
    """The API at noon of 18 November, with a key of ops."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Any:
    """The body of an answer of this status."""
    got = client.get(path, params=parameters or None)
    assert got.status_code == status, got.text
    return got.json()
