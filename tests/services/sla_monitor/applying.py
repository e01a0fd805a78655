"""Applications of the version in force, as tests of the SLA monitor make them."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy.orm import Session

from services.sla_monitor.domain.applications import Application
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import (
    advance_application,
    find_application,
    start_application,
)
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import an_id
from tests.services.sla_monitor.builders import minutes_after_noon, numbered, step

ASSIGNED = numbered(step(Change.ASSIGNED))[0]


def begin(session: Session, minute: float = 30, *, ended: str | None = None) -> Application:
    """Begin to apply the version in force, so many minutes after noon."""
    policies = Policies(SlaPolicy)
    version = policies.current(session).version
    now = minutes_after_noon(minute)
    return start_application(session, policies, version, policy=ended, actor="ops/maria", now=now)


def advance(session: Session, minute: float = 30, *, limit: int = 200) -> bool:
    policies = Policies(SlaPolicy)
    now = minutes_after_noon(minute)
    return advance_application(session, policies, time_source=lambda: now, limit=limit)


def apply(session: Session, minute: float = 30, *, ended: str | None = None) -> Application:
    """Apply the version in force to all handoffs."""
    begun = begin(session, minute, ended=ended)
    while advance(session, minute):
        pass
    return find_application(session, begun.id)


def assigned(number: int, **fields: object) -> HandoffChanged:
    return replace(ASSIGNED, handoff_id=an_id(f"handoff {number}"), **fields)
