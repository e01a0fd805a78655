"""Changes of handoffs: they start and end clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.reconciliation import reconcile
from services.sla_monitor.domain.terms import versions_of
from services.sla_monitor.handlers.updates import save_updates
from services.sla_monitor.queries import applications, changes, clocks
from shared.agreement.store import Policies
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message


def on_handoffs_changed(
    session: Session,
    messages: Sequence[Message[HandoffChanged]],
    now: datetime,
    *,
    policies: Policies[SlaPolicy],
) -> None:
    """Start and end clocks by these changes, and retract a breach whose answer happened in time and is reported now."""
    applications.share_lock(session)
    handoff_ids = changes.add_changes(session, [message.payload for message in messages])
    histories = changes.histories_of(session, handoff_ids)
    stored = clocks.locked_clocks(session, handoff_ids)
    applied = applications.applied_to(session, handoff_ids)
    versions = versions_of(histories.values(), applied.values())
    pinned = {number: policies.version(session, number) for number in sorted(versions)}
    traceparents = {message.payload.handoff_id: message.traceparent for message in messages}

    updates = [
        update
        for handoff_id, history in histories.items()
        for update in reconcile(
            stored.get(handoff_id, ()),
            derive_clocks(
                history,
                pinned,
                applied.get(handoff_id, ()),
                traceparent=traceparents[handoff_id],
            ),
            now=now,
        )
    ]

    save_updates(session, updates, now=now)
