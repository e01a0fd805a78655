"""Changes of handoffs: what sales does with what it was handed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key, with_channel, with_progress
from services.alignment.domain.progress import progress_of
from services.alignment.queries import changes, touches
from services.alignment.queries.facts import locked_facts, save_facts
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message


def on_handoffs_changed(
    session: Session, messages: Sequence[Message[HandoffChanged]], _now: datetime
) -> None:
    """Derive the facts of these handoffs from all their changes, whatever the order in which they were read."""
    added = changes.add_changes(session, [message.payload for message in messages])
    progress = {}
    for history in changes.histories_of(session, added):
        last = history[-1]
        progress[Key(last.lead_id, last.qualification)] = progress_of(history)
    facts = locked_facts(session, progress.keys())
    unannounced = {key for key, it in facts.items() if not it.is_announced}
    histories = touches.histories_of(session, unannounced)

    after = {key: with_progress(facts[key], it) for key, it in progress.items()}
    for key in unannounced:
        after[key] = with_channel(after[key], histories.get(key))

    save_facts(session, facts, after.values())
