"""What keeps reports fast: changes are merged into the tallies, and handoffs of older versions are counted."""

from __future__ import annotations

from threading import Event

from services.alignment.handlers.saving import save
from services.alignment.queries.facts import locked_uncounted
from services.alignment.queries.tallies import merge_changes
from shared.db.session import Sessions

CHANGES = 20_000
"""How many changes one transaction merges."""
HANDOFFS = 500
"""How many handoffs of older versions one transaction counts."""


def keep_up(sessions: Sessions, stop: Event) -> None:
    """Merge what was added to the tallies, and count what is not counted yet, until nothing is left or `stop`."""
    while not stop.is_set():
        with sessions.begin() as session:
            uncounted = locked_uncounted(session, limit=HANDOFFS)
            save(session, uncounted, uncounted.values())
        with sessions.begin() as session:
            merged = merge_changes(session, limit=CHANGES)
        if merged < CHANGES and len(uncounted) < HANDOFFS:
            return
