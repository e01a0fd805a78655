"""Qualifications of leads: what marketing hands over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key, with_channel, with_qualification
from services.alignment.queries.facts import locked_facts, save_facts
from services.alignment.queries.touches import histories_of
from shared.contracts.payloads import LeadQualified, Qualified
from shared.contracts.topic import Message


def on_leads_qualified(
    session: Session, messages: Sequence[Message[LeadQualified]], _now: datetime
) -> None:
    """Note who qualified when, from which campaign; what ceased to qualify had qualified nevertheless."""
    leads = {
        Key(it.payload.lead_id, it.payload.qualification): it.payload
        for it in messages
        if it.payload.change is Qualified.BECAME
    }
    facts = locked_facts(session, leads.keys())
    histories = histories_of(session, leads.keys())

    after = [
        with_channel(with_qualification(facts[key], lead), histories.get(key))
        for key, lead in leads.items()
    ]

    save_facts(session, facts, after)
