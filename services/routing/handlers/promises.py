"""Promises at risk and broken: each step of their ladders notifies its receiver once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.applied_terms import AppliedTerms
from services.routing.domain.escalations import Escalation, is_broken_promise
from services.routing.domain.notifications import ACCEPT
from services.routing.domain.promises import (
    Notice,
    promise_notification,
    recipient_of,
    settled_clocks,
)
from services.routing.handlers.assignment import Assigner
from services.routing.queries import (
    applied_terms,
    deliveries,
    endpoints,
    escalations,
    fallbacks,
    handoffs,
    reps,
)
from shared.contracts.payloads import ClockChange, SlaChanged
from shared.contracts.topic import Message


def on_sla_changed(
    session: Session, messages: Sequence[Message[SlaChanged]], now: datetime, *, assigner: Assigner
) -> None:
    """Notify the receivers of each breach and of each further step of a ladder, and note what else steps do.

    A message that waits for the hours of its receiver is cancelled when its promise is met meanwhile.
    The worker's tick carries that out: a step takes no lock here, so that no batch waits for an answer.
    """
    clocks = [it.payload for it in messages]
    steps = [Escalation.of(it.payload, it.id) for it in messages]
    policy = assigner.policies.current(session)
    notices = [
        Notice(it.payload, it.id, recipient, policy.teams.get(it.payload.team))
        for it in messages
        if (recipient := recipient_of(it.payload)) is not None
    ]

    escalations.add_broken_promises(session, list(filter(is_broken_promise, clocks)))
    escalations.delete_broken_promises(
        session, {it.clock_id for it in clocks if it.change is ClockChange.RETRACTED}
    )
    escalations.add_escalations(session, [it for it in steps if it is not None])
    _apply_terms(session, clocks, now=now)
    notify(session, notices, assigner=assigner, now=now)
    settled = settled_clocks(clocks)
    deliveries.cancel_waiting(
        session,
        {handoff_id for handoff_id, _ in settled},
        now=now,
        clock_ids=[clock_id for _, clock_id in settled],
    )


def _apply_terms(session: Session, clocks: Sequence[SlaChanged], *, now: datetime) -> None:
    """Note which versions of the agreement were applied to handoffs, and let fallbacks follow the accept clock."""
    applied = [
        (it.handoff_id, terms) for it in clocks if (terms := AppliedTerms.of(it)) is not None
    ]
    accept_times = {
        (it.handoff_id, it.hop): it.due_at if it.change is ClockChange.MOVED else None
        for it in clocks
        if it.kind == ACCEPT and AppliedTerms.of(it) is not None
    }

    applied_terms.add_applied_terms(session, applied)
    fallbacks.move_accept_times(session, accept_times, now=now)


def notify(
    session: Session, notices: Sequence[Notice], *, assigner: Assigner, now: datetime
) -> None:
    """Notify each receiver once. A rep is not notified of a handoff that has moved on.

    A message may wait for the hours of its receiver, unless the handoff is closed already.
    """
    if not notices:
        return
    handoff_of = handoffs.handoffs_by_id(session, {it.clock.handoff_id for it in notices})
    known = endpoints.known_endpoints(session, {id for it in notices for id in it.endpoints})
    waited_for = {it.person for it in notices if it.clock.waits and it.person is not None}
    rep_of = {it.id: it for it in reps.reps_by_id(session, waited_for)} if waited_for else {}

    notifications = [
        it.waiting(
            promise_notification(
                it.clock,
                handoff_of.get(it.clock.handoff_id),
                endpoint=endpoint,
                cause=it.cause,
                outcome=it.outcome,
                public_url=assigner.public_url,
            ),
            rep_of,
            now,
        )
        for it in notices
        if not it.is_outdated(handoff_of.get(it.clock.handoff_id))
        for endpoint in [id for id in it.endpoints if id in known][:1]
    ]

    ended = {it.clock.clock_id for it in notices if it.is_over(handoff_of.get(it.clock.handoff_id))}
    in_time = [it for it in notifications if it.clock_id not in ended]
    deliveries.add_notifications(session, in_time, now=now)
