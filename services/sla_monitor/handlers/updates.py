"""Updates of clocks are saved, announced and counted in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.sla_monitor import announcements
from services.sla_monitor.domain.counts import open_count_changes, recent_count_changes
from services.sla_monitor.domain.reconciliation import ClockUpdate
from services.sla_monitor.domain.source_tallies import source_tally_changes
from services.sla_monitor.domain.tallies import tally_changes
from services.sla_monitor.queries import acknowledgements, clocks, counts, tallies
from shared.messaging import outbox


def save_updates(session: Session, updates: Sequence[ClockUpdate], *, now: datetime) -> None:
    """Save the clocks, remove those that must go, announce their transitions, and count them anew."""
    transitions = [transition for update in updates for transition in update.transitions]
    removed = {it.before.id for it in updates if it.before is not None and it.after is None}
    if removed:
        acknowledgements.remove_acknowledgements(session, removed)
        clocks.remove_clocks(session, removed)
    clocks.save_clocks(session, [it.after for it in updates if it.after is not None])
    outbox.append(session, list(announcements.clocks_changed(transitions, now=now)))
    # Last, since many transactions wait for the same few rows.
    pairs = [(it.before, it.after) for it in updates]
    counts.add_recent_counts(session, recent_count_changes(pairs))
    counts.add_open_counts(session, open_count_changes(pairs))
    tallies.add_tallies(session, tally_changes(pairs))
    tallies.add_source_tallies(session, source_tally_changes(pairs))
