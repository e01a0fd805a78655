"""Marketing touches of leads, until they qualified and until they were closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key, with_channel
from services.alignment.queries.facts import locked_facts, save_facts
from services.alignment.queries.touches import add_touches
from shared.contracts.topic import Message
from shared.contracts.touches import LeadTouched


def on_leads_touched(
    session: Session, messages: Sequence[Message[LeadTouched]], _now: datetime
) -> None:
    """Keep the touches of each handoff as they were announced last, and derive the channel by which its lead came."""
    announced = [message.payload for message in messages]
    facts = locked_facts(session, {Key(it.lead_id, it.qualification) for it in announced})
    histories = add_touches(session, announced)

    after = [with_channel(facts[key], it) for key, it in histories.items()]

    save_facts(session, facts, after)
