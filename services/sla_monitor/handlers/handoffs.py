"""Changes of handoffs: they start and end clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.sla_monitor import announcements
from services.sla_monitor.domain.counts import open_count_changes, recent_count_changes
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.reconciliation import reconcile
from services.sla_monitor.domain.source_tallies import source_tally_changes
from services.sla_monitor.domain.tallies import tally_changes
from services.sla_monitor.queries import acknowledgements, changes, clocks, counts, tallies
from shared.agreement.store import Policies
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message
from shared.messaging import outbox


def on_handoffs_changed(
    session: Session,
    messages: Sequence[Message[HandoffChanged]],
    now: datetime,
    *,
    policies: Policies[SlaPolicy],
) -> None:
    """Start and end clocks by these changes, and retract a breach whose answer happened in time and is reported now."""
    handoff_ids = changes.add_changes(session, [message.payload for message in messages])
    histories = changes.histories_of(session, handoff_ids)
    stored = clocks.locked_clocks(session, handoff_ids)
    versions = {change.agreement_version for history in histories.values() for change in history}
    pinned = {number: policies.version(session, number) for number in sorted(versions)}
    traceparents = {message.payload.handoff_id: message.traceparent for message in messages}

    updates = [
        update
        for handoff_id, history in histories.items()
        for update in reconcile(
            stored.get(handoff_id, ()),
            derive_clocks(history, pinned, traceparent=traceparents[handoff_id]),
            now=now,
        )
    ]
    transitions = [transition for update in updates for transition in update.transitions]

    removed = {it.before.id for it in updates if it.before is not None and it.after is None}
    if removed:
        acknowledgements.remove_acknowledgements(session, removed)
        clocks.remove_clocks(session, removed)
    clocks.save_clocks(session, [it.after for it in updates if it.after is not None])
    outbox.append(session, list(announcements.clocks_changed(transitions, now=now)))
    # Last, since many transactions wait for the same few rows.
    pairs = [(it.before, it.after) for it in updates]
    counts.add_recent_counts(session, recent_count_changes(pairs))
    counts.add_open_counts(session, open_count_changes(pairs))
    tallies.add_tallies(session, tally_changes(pairs))
    tallies.add_source_tallies(session, source_tally_changes(pairs))
