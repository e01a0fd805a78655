"""What became of campaigns' leads: marketing is notified once a campaign and day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.campaign_outcomes import outcome_notification
from services.routing.queries import deliveries
from shared.contracts.payloads import CampaignCounted
from shared.contracts.topic import Message


def on_campaigns_counted(
    session: Session, messages: Sequence[Message[CampaignCounted]], now: datetime
) -> None:
    """Notify the endpoint of marketing, if there is one; what it was notified of before is left out."""
    notifications = [
        outcome_notification(it.payload, traceparent=it.traceparent) for it in messages
    ]
    deliveries.add_notifications(session, notifications, now=now)
