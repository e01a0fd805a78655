"""Keeps what was refused; an event that nobody can read is no reason to refuse the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from services.scoring.ingest.metrics import UNKEPT
from services.scoring.queries.rejections import Rejection, add_rejections
from shared import logs
from shared.db.session import Sessions

log = logs.get(__name__)


def keep(sessions: Sessions, refused: Sequence[Rejection]) -> None:
    """In a transaction of its own. While the database is away they are counted and logged, without what they hold."""
    try:
        with sessions.begin() as session:
            add_rejections(session, refused)
    except SQLAlchemyError:
        UNKEPT.inc(len(refused))
        codes = dict(Counter(it.code for it in refused))
        log.warning("rejections not kept", source=refused[0].source, codes=codes)
