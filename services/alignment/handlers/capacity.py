"""Plans of what teams can take: of each date the latest plan counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.capacity import latest_days
from services.alignment.queries.capacity import add_days
from shared.contracts.payloads import CapacityPlanned
from shared.contracts.topic import Message


def on_capacity_planned(
    session: Session, messages: Sequence[Message[CapacityPlanned]], _now: datetime
) -> None:
    """Keep each date of each team by its latest plan; dates before a plan stay as they were planned."""
    add_days(session, latest_days([message.payload for message in messages]))
