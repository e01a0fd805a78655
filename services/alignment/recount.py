"""The nightly recount: compares the tallies that reports read with the handoffs, and mends what differs."""

from __future__ import annotations

from threading import Event
from typing import NamedTuple

from sqlalchemy.orm import Session

from services.alignment import metrics
from services.alignment.domain.recounts import Recount, after_date, recount_at
from services.alignment.domain.tallies import Tally, differences, tallies_of
from services.alignment.queries import recounts, tallies
from services.alignment.queries.facts import facts_on
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.process import logs

PAUSE_S, PAUSE_S_PER_HANDOFF = 1.0, 50e-6
"""After a date, so that a recount takes at most a part of a processor; none after a date without handoffs."""

log = logs.get(__name__)


class Comparison(NamedTuple):
    """One date in one snapshot: the recount as it was then, the handoffs counted, what the tallies lack."""

    recount: Recount
    handoffs: int
    missing: dict[Tally, list[int]]


def recount(sessions: Sessions, time_source: TimeSource, stop: Event) -> None:
    """Do what there is to do of tonight's recount, until `stop`, and set its gauges. Several processes may call it."""
    _begin(sessions, time_source)
    while not stop.is_set() and (counted := _count_date(sessions, time_source)) is not None:
        stop.wait(min(PAUSE_S, counted * PAUSE_S_PER_HANDOFF))
    _set_gauges(sessions)


def _begin(sessions: Sessions, time_source: TimeSource) -> None:
    """Save tonight's recount if it is time, unless another process has."""
    with sessions.begin() as session:
        last = recounts.find_recount(session)
        tonight = recount_at(time_source(), last)
        if tonight is None or tonight == last:
            return
        if last is None:
            recounts.add_recount(session, tonight)
        else:
            recounts.save_recount(session, last, tonight)


def _count_date(sessions: Sessions, time_source: TimeSource) -> int | None:
    """Compare and mend the next date; how many handoffs it has. None if another process did, or none is left.

    The difference is added in a transaction of its own. What other transactions change between the snapshot and that
    one changes handoffs and tallies alike, so the difference stays what it was.
    """
    comparison = _compared(sessions)
    if comparison is None:
        return None
    before, differing = comparison.recount, len(comparison.missing)
    after = after_date(
        before, handoffs=comparison.handoffs, differences=differing, now=time_source()
    )
    with sessions.begin() as session:
        if not recounts.save_recount(session, before, after):
            return None
        tallies.add_changes(session, comparison.missing)
    if differing:
        log.warning("sums of reports differed", qualified_on=str(before.next_on), counts=differing)
    return comparison.handoffs


def _compared(sessions: Sessions) -> Comparison | None:
    """The next date, compared in one snapshot of the database; None if the recount is finished."""
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        progress = recounts.find_recount(session)
        if progress is None or progress.is_finished:
            return None
        return _comparison(session, progress)


def _comparison(session: Session, progress: Recount) -> Comparison:
    facts = facts_on(session, progress.next_on)
    stored = tallies.tallies_on(session, progress.next_on)
    return Comparison(progress, len(facts), differences(stored, tallies_of(facts)))


def _set_gauges(sessions: Sessions) -> None:
    with sessions() as session:
        last = recounts.find_recount(session)
    if last is not None:
        metrics.RECOUNT_DIFFERENCES.set(last.differences)
        finished_at = last.finished_at
        metrics.RECOUNT_FINISHED.set(0 if finished_at is None else finished_at.timestamp())
