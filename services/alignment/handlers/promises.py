"""Changes of clocks: which promises about handoffs were met, and which were broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.promises import promise_facts
from services.alignment.queries.promises import add_promises
from shared.contracts.payloads import SlaChanged
from shared.contracts.topic import Message


def on_sla_changed(
    session: Session, messages: Sequence[Message[SlaChanged]], _now: datetime
) -> None:
    """Note what became of each promise, as the SLA monitor announced it."""
    add_promises(session, promise_facts([message.payload for message in messages]))
