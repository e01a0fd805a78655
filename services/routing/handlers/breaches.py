"""Breaches: the team's fallback, or ops, is notified once of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.notifications import OPS_ENDPOINT, breach, team_endpoint
from services.routing.handlers.assignment import Assigner
from services.routing.queries import deliveries, endpoints, handoffs
from shared.contracts.payloads import ClockChange, SlaChanged
from shared.contracts.topic import Message

TEAM, OPS = "team", "ops"


def on_sla_changed(
    session: Session, messages: Sequence[Message[SlaChanged]], now: datetime, *, assigner: Assigner
) -> None:
    """Notify the team or ops of each breach, and of each further step of its escalation."""
    notifiable = [it for it in messages if _level(it.payload) is not None]
    if not notifiable:
        return
    known = endpoints.known_endpoints(
        session, {OPS_ENDPOINT, *(team_endpoint(it.payload.team) for it in notifiable)}
    )
    handoff_of = handoffs.handoffs_by_id(session, {it.payload.handoff_id for it in notifiable})

    notifications = [
        breach(
            it.payload,
            handoff_of.get(it.payload.handoff_id),
            endpoint=_endpoint(it.payload, known),
            cause=it.id,
            public_url=assigner.public_url,
        )
        for it in notifiable
    ]

    deliveries.add_notifications(session, notifications, now=now)


def _level(clock: SlaChanged) -> str | None:
    """Who is notified: the team or ops; None for changes that nobody is notified of."""
    if clock.change is ClockChange.BREACHED:
        return TEAM
    if clock.change is ClockChange.ESCALATED and clock.step in (TEAM, OPS):
        return clock.step
    return None


def _endpoint(clock: SlaChanged, known: set[str]) -> str:
    """The team's fallback; ops where the team has none, or where ops are to be notified."""
    team = team_endpoint(clock.team)
    return team if _level(clock) == TEAM and team in known else OPS_ENDPOINT
