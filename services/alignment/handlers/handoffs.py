"""Changes of handoffs: what sales does with what it was handed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key
from services.alignment.domain.progress import progress_of
from services.alignment.domain.touches import channels_of
from services.alignment.queries import changes, touches
from services.alignment.queries.facts import save_channels, save_progress
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message


def on_handoffs_changed(
    session: Session, messages: Sequence[Message[HandoffChanged]], _now: datetime
) -> None:
    """Derive the facts of these handoffs from all their changes, whatever the order in which they were read."""
    added = changes.add_changes(session, [message.payload for message in messages])
    histories = changes.histories_of(session, added)

    progress = {Key(it.lead_id, it.qualification): it for it in map(progress_of, histories)}

    unannounced = save_progress(session, list(progress.values()))
    save_channels(session, channels_of(unannounced, touches.histories_of(session, unannounced)))
