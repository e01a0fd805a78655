"""Steps of ladders on a real PostgreSQL: who is notified of a promise, when, and of what no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, on_sla_changed
from services.routing.handlers.withdrawals import take_from_reps
from services.routing.queries import handoffs
from services.routing.tables import deliveries
from shared.contracts.payloads import ClockChange
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified, sla_changed, sla_message
from tests.services.routing.builders import at, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

HANDOFF = handoff_id(an_id("ada"), 1)
LINUS = {"url": "http://127.0.0.1:9/reps/linus"}
SATURDAY, MONDAY_MORNING = at(21), at(23, 9)


@pytest.fixture
def assigner(session: Session) -> Assigner:
    """An assigner with whose agreement Linus leads the team; Grace has Ada's handoff."""
    team = DEFAULT_SECTIONS["routing"]["teams"][0]
    routing = {**DEFAULT_SECTIONS["routing"], "teams": [{**team, "lead": "linus"}]}
    assigner = build_assigner(session, routing=routing)
    importing(session, entry("grace"), entry("linus", endpoint=LINUS, active=False))
    qualifying(session, assigner, lead_qualified())
    return assigner


def escalate(
    session: Session, assigner: Assigner, *steps: str, now: datetime = NOON, **fields: Any
) -> None:
    """Handle these steps, each of another promise."""
    messages = [
        sla_message(
            sla_changed(ClockChange.ESCALATED, handoff_id=HANDOFF, step=step, policy=step, **fields)
        )
        for step in steps
    ]
    on_sla_changed(session, messages, now, assigner=assigner)


def sent(session: Session) -> list[tuple[str, str, datetime, str]]:
    """Each notification of a promise: endpoint, type, when it may be sent, state."""
    columns = (deliveries.c.endpoint, deliveries.c.type, deliveries.c.next_attempt_at)
    of_promises = deliveries.c.type.in_(("handoff.at_risk", "handoff.breached"))
    statement = select(*columns, deliveries.c.state).where(of_promises)
    return [tuple(row) for row in session.execute(statement.order_by(deliveries.c.endpoint))]


def test_each_step_notifies_its_receiver_once(session: Session, assigner: Assigner) -> None:
    for _ in range(2):
        escalate(session, assigner, "rep", "lead", "team", "ops")

    assert sent(session) == [
        (it, "handoff.breached", NOON, "pending")
        for it in ("ops", "rep/grace", "rep/linus", "team/sales")
    ]


def test_a_message_to_a_person_waits_for_their_hours(session: Session, assigner: Assigner) -> None:
    escalate(session, assigner, "rep", "ops", now=SATURDAY, waits=True)

    assert [(it, at) for it, _, at, _ in sent(session)] == [
        ("ops", SATURDAY),
        ("rep/grace", MONDAY_MORNING),
    ]


def test_a_warning_to_a_rep_who_loses_the_handoff_is_cancelled(
    session: Session, assigner: Assigner
) -> None:
    due_at = NOON + timedelta(minutes=5)
    escalate(session, assigner, "rep", "team", due_at=due_at)

    take_from_reps(session, [handoffs.handoffs_by_id(session, {HANDOFF})[HANDOFF]], now=NOON)

    assert [(it, type, state) for it, type, _, state in sent(session)] == [
        ("rep/grace", "handoff.at_risk", "cancelled"),
        ("team/sales", "handoff.at_risk", "pending"),
    ]


def test_a_rep_who_lost_the_handoff_is_not_warned(session: Session, assigner: Assigner) -> None:
    escalate(session, assigner, "rep", rep="another")

    assert sent(session) == []


def test_a_breach_that_its_ladder_is_silent_about_notifies_nobody(
    session: Session, assigner: Assigner
) -> None:
    silent = sla_changed(handoff_id=HANDOFF, step="none")

    on_sla_changed(session, [sla_message(silent)], NOON, assigner=assigner)

    assert sent(session) == []
