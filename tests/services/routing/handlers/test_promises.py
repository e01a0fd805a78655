"""Steps of ladders on a real PostgreSQL: who is notified of a promise, when, and of what no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, on_answer, on_leads_merged, on_sla_changed
from services.routing.handlers.withdrawals import take_from_reps
from services.routing.queries import handoffs
from services.routing.queries.deliveries import redeliver
from services.routing.tables import deliveries
from shared.contracts.payloads import Change, ClockChange, Qualified, SlaChanged
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    an_id,
    lead_qualified,
    leads_merged,
    merged_message,
    sla_changed,
    sla_message,
)
from tests.services.routing.builders import at, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

HANDOFF = handoff_id(an_id("ada"), 1)
LINUS = {"url": "http://127.0.0.1:9/reps/linus"}
SATURDAY, MONDAY_MORNING = at(21), at(23, 9)


def assigner_led_by_linus(session: Session) -> Assigner:
    """An assigner with whose agreement Linus leads the team."""
    team = DEFAULT_SECTIONS["routing"]["teams"][0]
    routing = {**DEFAULT_SECTIONS["routing"], "teams": [{**team, "lead": "linus"}]}
    return build_assigner(session, routing=routing)


@pytest.fixture
def assigner(session: Session) -> Assigner:
    """An assigner with whose agreement Linus leads the team; Grace has Ada's handoff."""
    assigner = assigner_led_by_linus(session)
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


def change_of(policy: str, change: ClockChange, **fields: Any) -> SlaChanged:
    """A change of the clock of this promise."""
    return sla_changed(change, handoff_id=HANDOFF, policy=policy, **fields)


@pytest.mark.parametrize("change", [ClockChange.MET, ClockChange.RETRACTED])
def test_a_message_that_waits_is_cancelled_when_its_promise_is_met(
    session: Session, assigner: Assigner, change: ClockChange
) -> None:
    """The message about the other promise goes on waiting, and what is sent at once is sent."""
    escalate(session, assigner, "rep", "lead", "ops", now=SATURDAY, waits=True)
    later = [sla_message(change_of(it, change)) for it in ("rep", "ops")]

    for _ in range(2):
        on_sla_changed(session, later, SATURDAY, assigner=assigner)

    assert states(session) == {"ops": "pending", "rep/grace": "cancelled", "rep/linus": "pending"}


def test_a_step_and_its_answer_in_one_batch_leave_nothing_waiting(
    session: Session, assigner: Assigner
) -> None:
    step = change_of("lead", ClockChange.ESCALATED, step="lead", waits=True)
    batch = [step, change_of("lead", ClockChange.MET)]

    on_sla_changed(session, list(map(sla_message, batch)), SATURDAY, assigner=assigner)

    assert states(session) == {"rep/linus": "cancelled"}


def test_a_message_that_is_due_already_is_sent(session: Session, assigner: Assigner) -> None:
    escalate(session, assigner, "lead", now=SATURDAY, waits=True)
    met = sla_message(change_of("lead", ClockChange.MET))

    on_sla_changed(session, [met], MONDAY_MORNING, assigner=assigner)

    assert states(session) == {"rep/linus": "pending"}


@pytest.mark.parametrize(
    ("change", "details", "state"),
    [
        (Change.LOST, {"reason": "price"}, "cancelled"),
        (Change.CONTACTED, {"outcome": "no_answer"}, "pending"),
    ],
)
def test_a_message_that_waits_is_cancelled_when_the_handoff_closes(
    session: Session, assigner: Assigner, change: Change, details: dict[str, Any], state: str
) -> None:
    escalate(session, assigner, "lead", "ops", now=SATURDAY, waits=True)

    answering(session, assigner, change, **details)

    assert states(session) == {"ops": "pending", "rep/linus": state}


def test_a_step_after_the_handoff_was_closed_lets_no_message_wait(
    session: Session, assigner: Assigner
) -> None:
    answering(session, assigner, Change.LOST, reason="price")
    escalate(session, assigner, "lead", "ops", now=SATURDAY, waits=True)

    assert states(session) == {"ops": "pending"}


def test_a_message_that_waits_is_cancelled_when_a_waiting_lead_ceases_to_qualify(
    session: Session,
) -> None:
    assigner = assigner_led_by_linus(session)
    importing(session, entry("linus", endpoint=LINUS, active=False))
    qualifying(session, assigner, lead_qualified())
    escalate(session, assigner, "lead", now=SATURDAY, waits=True, rep=None)
    assert states(session) == {"rep/linus": "pending"}

    qualifying(session, assigner, lead_qualified(change=Qualified.CEASED, cause="decayed"))

    assert states(session) == {"rep/linus": "cancelled"}


def test_a_message_that_waits_is_cancelled_when_its_lead_merges_into_another(
    session: Session, assigner: Assigner
) -> None:
    qualifying(session, assigner, lead_qualified(lead="visitor"))
    answering(session, assigner, Change.ACCEPTED)
    of_visitor = handoff_id(an_id("visitor"), 1)
    step = sla_changed(ClockChange.ESCALATED, handoff_id=of_visitor, step="lead", waits=True)
    on_sla_changed(session, [sla_message(step)], SATURDAY, assigner=assigner)

    merge = merged_message(leads_merged(goes="visitor"))
    on_leads_merged(session, [merge], NOON, assigner=assigner)

    assert states(session) == {"rep/linus": "cancelled"}


def test_ops_may_send_a_cancelled_message_anyway(session: Session, assigner: Assigner) -> None:
    escalate(session, assigner, "lead", now=SATURDAY, waits=True)
    met = sla_message(change_of("lead", ClockChange.MET))
    on_sla_changed(session, [met], SATURDAY, assigner=assigner)
    [id] = session.scalars(select(deliveries.c.id).where(deliveries.c.state == "cancelled"))

    assert redeliver(session, id, now=SATURDAY)
    on_sla_changed(session, [met], NOON, assigner=assigner)

    assert states(session) == {"rep/linus": "pending"}


def states(session: Session) -> dict[str, str]:
    """The state of the notification of a promise to each endpoint."""
    return {endpoint: state for endpoint, _, _, state in sent(session)}


def answering(session: Session, assigner: Assigner, change: Change, **details: Any) -> None:
    """Let Grace answer."""
    actor, answer = Actor("rep", "grace"), Answer(change, details=details)
    on_answer(session, HANDOFF, answer, actor=actor, assigner=assigner, now=NOON)
