"""The notification of marketing: what became of a campaign's leads on one day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec

from services.routing.domain.notification_body import body
from services.routing.domain.notifications import (
    MARKETING_ENDPOINT,
    OUTCOME,
    Notification,
    notification_id,
)
from shared.contracts.payloads import CampaignCounted


def outcome_notification(
    counted: CampaignCounted, *, traceparent: str | None = None
) -> Notification:
    """The notification, one a campaign and day. Its timestamp is the end of the day."""
    ended_at = datetime.combine(counted.day + timedelta(days=1), time(), UTC)
    rejections = [{"reason": it.reason, "count": it.count} for it in counted.rejections]
    outcome = {**msgspec.to_builtins(counted), "rejections": rejections}
    return Notification(
        id=notification_id(f"{counted.day}/{counted.campaign}/{OUTCOME}"),
        endpoint=MARKETING_ENDPOINT,
        handoff_id=None,
        hop=0,
        type=OUTCOME,
        body=body(OUTCOME, {"outcome": outcome}, at=ended_at),
        traceparent=traceparent,
    )
