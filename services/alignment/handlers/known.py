"""Leads that became known or engaged: what marketing has before it hands over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.known import known_leads
from services.alignment.queries.known import save_known
from shared.contracts.known import LeadKnown
from shared.contracts.topic import Message


def on_leads_known(
    session: Session, messages: Sequence[Message[LeadKnown]], _now: datetime
) -> None:
    """Keep each lead as its last record has it, in whatever order they come."""
    save_known(session, known_leads(message.payload for message in messages))
