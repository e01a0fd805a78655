"""Saving facts, and with them what they change in the sums of reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts, Key
from services.alignment.domain.tallies import categorised, category_of, tally_changes
from services.alignment.queries import tallies
from services.alignment.queries.facts import save_facts


def save(
    session: Session, before: Mapping[Key, HandoffFacts], after: Iterable[HandoffFacts]
) -> None:
    """Save what differs of these locked handoffs, and add the differences to the tallies."""
    pairs = [(before[it.key], categorised(it)) for it in after]
    changed = [(old, new) for old, new in pairs if old != new]

    save_facts(session, [new for _, new in changed])
    new_categories = [
        category_of(new) for old, new in changed if new.category_id != old.category_id
    ]
    tallies.add_categories(session, new_categories)
    tallies.add_changes(session, tally_changes(changed))
