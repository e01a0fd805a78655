"""What streams of changes show of events and qualifications: nothing that tells who the person is."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy.orm import Session

from shared.contracts.payloads import LeadQualified, MarketingEvent
from shared.contracts.topic import Message
from shared.messaging.feed import Excerpt


def event_excerpts(_: Session, messages: Sequence[Message[MarketingEvent]]) -> list[Excerpt]:
    """The source, id, type and times of each event."""
    return [
        Excerpt(
            orjson.dumps(
                {
                    "source": event.source,
                    "id": event.id,
                    "type": event.type,
                    "time": event.time,
                    "received_at": event.received_at,
                    "marks": event.marks,
                }
            )
        )
        for event in (it.payload for it in messages)
    ]


def qualification_excerpts(_: Session, messages: Sequence[Message[LeadQualified]]) -> list[Excerpt]:
    """Which lead became or ceased to be qualified, when and why."""
    return [
        Excerpt(
            orjson.dumps(
                {
                    "lead_id": lead.lead_id,
                    "qualification": lead.qualification,
                    "change": lead.change,
                    "at": lead.at,
                    "tier": lead.tier,
                    "cause": lead.cause,
                }
            )
        )
        for lead in (it.payload for it in messages)
    ]
