"""Stores refused events, and deletes them, and the counts of all others, when they are old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from services.scoring.ingest.metrics import UNKEPT
from services.scoring.queries.event_counts import delete_counts_before
from services.scoring.queries.rejections import (
    Rejection,
    StoredRejection,
    add_rejections,
    delete_rejection,
    delete_rejections_before,
    find_rejection,
)
from shared.clock import TimeSource
from shared.db.outages import is_outage
from shared.db.session import Sessions
from shared.errors import class_and_code
from shared.process import logs

log = logs.get(__name__)

DELETE_BATCH = 500
"""Rows that one transaction deletes, so that requests which add rejections do not wait long."""


def keep(sessions: Sessions, refused: Sequence[Rejection]) -> None:
    """Store the rejections in a transaction of their own.

    Those that the database does not take are only counted, and logged by their codes: the events beside them
    stay accepted.
    """
    try:
        with sessions.begin() as session:
            add_rejections(session, refused)
    except SQLAlchemyError as error:
        UNKEPT.inc(len(refused))
        codes = dict(Counter(it.code for it in refused))
        write = log.warning if is_outage(error) else log.error
        write(
            "rejections not kept",
            source=refused[0].source,
            codes=codes,
            error=class_and_code(error),
        )


def stored_rejection(sessions: Sessions, id: int) -> StoredRejection | None:
    """The rejection with this id, read in a transaction of its own."""
    with sessions() as session:
        return find_rejection(session, id)


def drop(sessions: Sessions, id: int) -> None:
    """Delete the rejection in a transaction of its own."""
    with sessions.begin() as session:
        delete_rejection(session, id)


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """Deletes rejections that were not repeated for `max_age`, and counts of events of that age."""

    sessions: Sessions
    time_source: TimeSource
    max_age: timedelta

    def enforce(self) -> None:
        """Delete all that are older, in several transactions."""
        oldest = self.time_source() - self.max_age
        deleted = 0
        while rows := self._delete_before(oldest):
            deleted += rows
        if deleted:
            log.info("old rejections deleted", rows=deleted)
        with self.sessions.begin() as session:
            delete_counts_before(session, oldest)

    def _delete_before(self, instant: datetime) -> int:
        with self.sessions.begin() as session:
            return delete_rejections_before(session, instant, limit=DELETE_BATCH)
