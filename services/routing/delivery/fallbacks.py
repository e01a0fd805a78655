"""Fallbacks: the endpoint above is notified of what another endpoint was not, at once or before it is too late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from services.routing.domain import notifications
from services.routing.domain.fallbacks import Undelivered, UndeliveredState
from services.routing.queries import deliveries, endpoints, fallbacks
from shared.clock import TimeSource
from shared.db.session import Sessions

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
"""How often deliveries are looked for whose fallback is due."""
PAGE_SIZE = 200
"""How many of them one transaction takes."""


def notify_due_fallbacks(
    sessions: Sessions, time_source: TimeSource, *, page_size: int = PAGE_SIZE
) -> None:
    """Notify the fallbacks of what waits for a hanging or failing endpoint while half of the time to accept passes.

    The fallback of an attempt that failed is notified when that is recorded; here are those whose turn does not come.
    What waits for endpoints that answer is not looked at: its turn comes. What waits for deleted ones is cancelled.
    """
    with sessions() as session:
        held = fallbacks.held_endpoints(session)
    looked_at = page_size if held else 0
    while looked_at == page_size:
        with sessions.begin() as session:
            now = time_source()
            late, looked_at = fallbacks.claim_fallbacks(session, held, limit=page_size, now=now)
            notify_fallbacks(session, late, state="pending", now=now)
        if late:
            log.info("fallbacks notified before the accept clock runs out", deliveries=len(late))
    with sessions.begin() as session:
        cancelled = fallbacks.cancel_without_endpoint(session, now=time_source())
    if cancelled:
        log.info("webhooks to deleted endpoints are cancelled", deliveries=cancelled)


def notify_fallbacks(
    session: Session, undelivered: Sequence[Undelivered], *, state: UndeliveredState, now: datetime
) -> None:
    """Notify the next endpoint above each that has one, the team's or that of ops; of the same cause only once."""
    above = [it.endpoints_above() for it in undelivered]
    known = endpoints.known_endpoints(session, {id for ids in above for id in ids})
    targets = [next((id for id in ids if id in known), None) for ids in above]
    further = [
        notifications.undelivered(
            it.notification, cause=it.cause, endpoint=endpoint, state=state, at=now
        )
        for it, endpoint in zip(undelivered, targets, strict=True)
        if endpoint is not None
    ]
    deliveries.add_notifications(session, further, now=now)
