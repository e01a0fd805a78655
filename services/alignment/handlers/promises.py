"""Changes of clocks: which promises about handoffs were met, and which were broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import with_promises
from services.alignment.domain.promises import promise_facts
from services.alignment.handlers.saving import save
from services.alignment.queries.facts import lock_unlinked, locked_handoffs
from services.alignment.queries.promises import add_promises, kept_counts
from shared.contracts.payloads import SlaChanged
from shared.contracts.topic import Message


def on_sla_changed(
    session: Session, messages: Sequence[Message[SlaChanged]], _now: datetime
) -> None:
    """Note what became of each promise, as the SLA monitor announced it, and count it with its handoff."""
    promises = promise_facts([message.payload for message in messages])
    handoff_ids = {it.handoff_id for it in promises}
    lock_unlinked(session, handoff_ids)
    add_promises(session, promises)
    facts = locked_handoffs(session, handoff_ids)
    kept = kept_counts(session, handoff_ids)

    after = [
        with_promises(it, kept.get(it.handoff_id) if it.handoff_id else None)
        for it in facts.values()
    ]

    save(session, facts, after)
