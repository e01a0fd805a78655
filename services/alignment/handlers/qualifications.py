"""Qualifications of leads: what marketing hands over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.facts import Key
from services.alignment.domain.qualifications import qualification_of
from services.alignment.domain.touches import channels_of
from services.alignment.queries.facts import save_channels, save_qualifications
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

    qualifications = list(map(qualification_of, leads.values()))

    qualified_at = save_qualifications(session, qualifications)
    save_channels(session, channels_of(qualified_at, histories_of(session, qualified_at)))
