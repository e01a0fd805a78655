"""The nightly recount: compares the tallies that reports read with the clocks, and mends what differs."""

from __future__ import annotations

from collections import Counter
from threading import Event
from typing import NamedTuple

from sqlalchemy.orm import Session

from services.sla_monitor import metrics
from services.sla_monitor.domain.recounts import Recount, after_cohort, recount_at
from services.sla_monitor.domain.source_tallies import (
    SourceTally,
    source_differences,
    source_tallies_of,
)
from services.sla_monitor.domain.tallies import Tally, differences, tallies_of
from services.sla_monitor.queries import clocks, recounts, tallies
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.process import logs

PAUSE_S, PAUSE_S_PER_CLOCK = 1.0, 20e-6
"""After a due date, so that a recount takes at most a part of a processor; none after a date without clocks."""

log = logs.get(__name__)


class Comparison(NamedTuple):
    """One due date in one snapshot: the recount as it was then, the clocks counted, what the tallies lack."""

    recount: Recount
    clocks: int
    missing: dict[Tally, int]
    missing_of_sources: dict[SourceTally, int]

    @property
    def differences(self) -> int:
        """How many counts differ."""
        return len(self.missing) + len(self.missing_of_sources)


def recount(sessions: Sessions, time_source: TimeSource, stop: Event) -> None:
    """Do what there is to do of tonight's recount, until `stop`, and set its gauges. Several processes may call it."""
    _begin(sessions, time_source)
    while not stop.is_set() and (counted := _count_cohort(sessions, time_source)) is not None:
        stop.wait(min(PAUSE_S, counted * PAUSE_S_PER_CLOCK))
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


def _count_cohort(sessions: Sessions, time_source: TimeSource) -> int | None:
    """Compare and mend the next due date; how many clocks it has. None if another process did, or none is left.

    The difference is added in a transaction of its own. What other transactions change between the snapshot and that
    one changes clocks and tallies alike, so the difference stays what it was.
    """
    comparison = _compared(sessions)
    if comparison is None:
        return None
    before, differing = comparison.recount, comparison.differences
    after = after_cohort(before, clocks=comparison.clocks, differences=differing, now=time_source())
    with sessions.begin() as session:
        if not recounts.save_recount(session, before, after):
            return None
        tallies.add_counts(session, comparison.missing)
        tallies.add_source_counts(session, comparison.missing_of_sources)
    if differing:
        log.warning("counts of reports differed", due_on=str(before.next_on), counts=differing)
    return comparison.clocks


def _compared(sessions: Sessions) -> Comparison | None:
    """The next due date, compared in one snapshot of the database; None if the recount is finished."""
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        progress = recounts.find_recount(session)
        if progress is None or progress.is_finished:
            return None
        return _comparison(session, progress)


def _comparison(session: Session, progress: Recount) -> Comparison:
    due_on = progress.next_on
    counted: Counter[Tally] = Counter()
    counted_of_sources: Counter[SourceTally] = Counter()
    number = 0
    for clock in clocks.clocks_due_on(session, due_on):
        number += 1
        counted.update(tallies_of(clock))
        counted_of_sources.update(source_tallies_of(clock))
    stored = tallies.tallies_due_on(session, due_on)
    stored_of_sources = tallies.source_tallies_due_on(session, due_on)
    return Comparison(
        progress,
        number,
        differences(stored, counted),
        source_differences(stored_of_sources, counted_of_sources),
    )


def _set_gauges(sessions: Sessions) -> None:
    with sessions() as session:
        last = recounts.find_recount(session)
    if last is not None:
        metrics.RECOUNT_DIFFERENCES.set(last.differences)
        finished_at = last.finished_at
        metrics.RECOUNT_FINISHED.set(0 if finished_at is None else finished_at.timestamp())
