"""Due clocks: warnings, breaches and escalation steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from services.sla_monitor import announcements, metrics
from services.sla_monitor.domain.clocks import Transition, fire
from services.sla_monitor.domain.counts import open_count_changes, recent_count_changes
from services.sla_monitor.domain.source_tallies import source_tally_changes
from services.sla_monitor.domain.tallies import tally_changes
from services.sla_monitor.queries import clocks, counts, tallies
from shared.messaging import outbox

BATCH = 10_000
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
"""A low-water mark below every instant."""


def fire_due_clocks(
    session: Session, *, now: datetime, low: datetime = ALWAYS, limit: int = BATCH
) -> int:
    """Warn, breach and escalate everything that is due on up to `limit` clocks; returns how many clocks.

    Clocks that were due before `low` are not looked at.
    """
    due = clocks.claim_due(session, now=now, low=low, limit=limit)
    if not due:
        return 0

    outcomes = [fire(clock, now=now) for clock in due]
    fired = [clock for clock, _ in outcomes]
    transitions = [transition for _, transitions in outcomes for transition in transitions]

    clocks.save_timers(session, fired)
    outbox.append(session, announcements.clocks_changed(transitions, now=now))
    # Last, since many transactions wait for the same few rows.
    pairs = list(zip(due, fired, strict=True))
    counts.add_recent_counts(session, recent_count_changes(pairs))
    counts.add_open_counts(session, open_count_changes(pairs))
    tallies.add_tallies(session, tally_changes(pairs))
    tallies.add_source_tallies(session, source_tally_changes(pairs))
    _measure(transitions, now)
    return len(due)


def _measure(transitions: Sequence[Transition], now: datetime) -> None:
    for transition in transitions:
        metrics.LATENESS.observe((now - transition.occurred_at).total_seconds())
    for change, count in Counter(it.change for it in transitions).items():
        metrics.FIRED.labels(change.value).inc(count)
