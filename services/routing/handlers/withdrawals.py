"""Handoffs that reps lose: what counts for the reps, their pending notifications, and the notification of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import announcements
from services.routing.domain.handoff import Handoff
from services.routing.domain.notifications import ASSIGNED, AT_RISK, BREACHED, rep_endpoint
from services.routing.queries import deliveries, handoffs, reps

OF_HOLDER = (ASSIGNED, AT_RISK, BREACHED)
"""The types of notifications that are of no use to a rep who does not hold the handoff any more."""


def take_from_reps(session: Session, held: Sequence[Handoff], *, now: datetime) -> None:
    """Let the handoffs count no longer for their reps, and cancel what is pending for these: assignments, promises."""
    if not held:
        return
    for handoff in held:
        reps.release(session, handoff.rep)
        reps.give_back(session, handoff.id, handoff.hop)
    endpoint_of = {it.id: rep_endpoint(it.rep or "") for it in held}
    deliveries.cancel_deliveries(session, endpoint_of, types=OF_HOLDER, now=now)


def notify_withdrawals(
    session: Session,
    lost: Sequence[Handoff],
    *,
    reason: str,
    actor: str,
    public_url: str,
    now: datetime,
) -> None:
    """Notify each rep who lost one of the handoffs, passed as they were, with the rep who has the lead now.

    An assignment that is being sent at this moment reaches the rep before its withdrawal.
    """
    if not lost:
        return
    after = handoffs.handoffs_by_id(session, {it.id for it in lost})
    survivor_ids = {it.merged_into for it in after.values() if it.merged_into is not None}
    after |= handoffs.handoffs_by_id(session, survivor_ids) if survivor_ids else {}
    notifications = announcements.withdrawal_notifications(
        lost, after, reason=reason, actor=actor, public_url=public_url, now=now
    )
    deliveries.add_notifications(session, notifications, now=now)
    deliveries.delay_behind_attempts(session, [it.id for it in notifications], now=now)
