"""The acknowledgement of a breach by ops."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.sla_monitor import announcements
from services.sla_monitor.domain.clocks import (
    Acknowledgement,
    Clock,
    NotBreached,
    Transition,
    UnknownClock,
)
from services.sla_monitor.queries import acknowledgements, clocks
from shared.contracts.payloads import ClockChange
from shared.messaging import outbox


def on_acknowledgement(
    session: Session, clock_id: UUID, *, actor: str, note: str, now: datetime
) -> tuple[Clock, Acknowledgement]:
    """Acknowledge the breach; returns its clock and its acknowledgement, the first one where there are two.

    Raises UnknownClock or NotBreached.
    """
    clock = clocks.find_locked_clock(session, clock_id)
    if clock is None:
        raise UnknownClock(f"no clock {clock_id}: take an id from /v1/sla/breaches")
    if not clock.is_broken(now=now):
        raise NotBreached(
            f"the promise {clock.policy} is not broken: it is {clock.state} and due at {clock.due_at.isoformat()}"
        )

    acknowledgement = Acknowledgement(clock_id, now, actor, note)
    transition = Transition(clock, ClockChange.ACKNOWLEDGED, now, acknowledgement=acknowledgement)

    if not acknowledgements.add_acknowledgement(session, acknowledgement):
        return clock, acknowledgements.acknowledgements_of(session, [clock_id])[clock_id]
    outbox.append(session, list(announcements.clocks_changed([transition], now=now)))
    return clock, acknowledgement
