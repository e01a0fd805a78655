"""Broken promises are told to the team's fallback, or to ops, once each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain import notifications
from services.routing.handlers.assigner import Assigner
from services.routing.queries import deliveries, endpoints, handoffs
from shared.contracts.payloads import ClockChange, SlaChanged
from shared.contracts.topic import Message

TEAM, OPS = "team", "ops"


def on_sla_changed(
    session: Session, arrived: Sequence[Message[SlaChanged]], now: datetime, *, assigner: Assigner
) -> None:
    """Tell each breach, and each further rung of the ladder, to whom it concerns."""
    told = [(it, whom) for it in arrived if (whom := _whom(it.payload)) is not None]
    known = endpoints.known_endpoints(
        session,
        {
            notifications.OPS_ENDPOINT,
            *(notifications.team_endpoint(it.payload.team) for it, _ in told),
        },
    )
    new = []
    for it, whom in told:
        team = notifications.team_endpoint(it.payload.team)
        new.append(
            notifications.breach(
                it.payload,
                handoffs.find_handoff(session, it.payload.handoff_id),
                endpoint=team if whom == TEAM and team in known else notifications.OPS_ENDPOINT,
                cause=it.id,
                public_url=assigner.public_url,
            )
        )
    deliveries.add_notifications(session, new, now=now)


def _whom(clock: SlaChanged) -> str | None:
    if clock.change is ClockChange.BREACHED:
        return TEAM
    if clock.change is ClockChange.ESCALATED and clock.step in (TEAM, OPS):
        return clock.step
    return None
