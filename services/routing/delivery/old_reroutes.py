"""Deletes re-routes that ended long ago: the handoffs' own changes tell what became of each."""

from __future__ import annotations

from datetime import timedelta

from services.routing.queries.reroutes import delete_reroutes_before
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.process import logs

log = logs.get(__name__)

KEPT_FOR = timedelta(days=90)
"""After its end a re-route can be read for so long, and a plan be confirmed."""

DELETE_EVERY_S = 600.0
DELETE_BATCH = 10
"""Re-routes that one transaction deletes, each with 2,000 handoffs at most."""


def delete_old_reroutes(sessions: Sessions, time_source: TimeSource) -> None:
    """Delete all that ended before KEPT_FOR, in several transactions."""
    oldest = time_source() - KEPT_FOR
    deleted = 0
    is_last = False
    while not is_last:
        with sessions.begin() as session:
            count = delete_reroutes_before(session, oldest, limit=DELETE_BATCH)
        deleted += count
        is_last = count < DELETE_BATCH
    if deleted:
        log.info("old re-routes deleted", reroutes=deleted)
