"""Marketing touches of leads, until they qualified and until they were closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.queries.touches import add_touches
from shared.contracts.topic import Message
from shared.contracts.touches import LeadTouched


def on_leads_touched(
    session: Session, messages: Sequence[Message[LeadTouched]], _now: datetime
) -> None:
    """Keep the touches of each handoff as they were announced last, for the credit of its win."""
    add_touches(session, [message.payload for message in messages])
