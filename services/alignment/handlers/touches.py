"""Marketing touches of leads, until they qualified and until they were closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key
from services.alignment.domain.touches import channels_of
from services.alignment.queries.facts import locked_qualified_at, save_channels
from services.alignment.queries.touches import add_touches
from shared.contracts.topic import Message
from shared.contracts.touches import LeadTouched


def on_leads_touched(
    session: Session, messages: Sequence[Message[LeadTouched]], _now: datetime
) -> None:
    """Keep the touches of each handoff as they were announced last, and derive the channel by which its lead came."""
    announced = [message.payload for message in messages]
    keys = {Key(it.lead_id, it.qualification) for it in announced}
    qualified_at = locked_qualified_at(session, keys)

    histories = add_touches(session, announced)

    save_channels(session, channels_of(qualified_at, histories))
