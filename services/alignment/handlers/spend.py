"""What campaigns cost, as it is reported: one amount, or those of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.domain.spend import Refusal, Spend, SpendEntry, decide
from services.alignment.queries import spend as queries


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of entries: the versions that were added, and those that are refused, by position."""

    added: Sequence[Spend]
    refusals: dict[int, Refusal]


def record_spend(
    session: Session, entries: Sequence[SpendEntry], *, now: datetime, dry_run: bool = False
) -> Recorded:
    """Keep the entries that say something new: all of them or, if one is refused or it is a `dry_run`, none."""
    queries.lock_spend(session)
    known: defaultdict[str, list[Spend]] = defaultdict(list)
    for version in queries.versions_of(session, {it.campaign for it in entries}):
        known[version.campaign].append(version)

    added, refusals = list[Spend](), dict[int, Refusal]()
    for index, entry in enumerate(entries):
        match decide(entry, known[entry.campaign]):
            case Spend() as version:
                added.append(version)
                known[entry.campaign].append(version)
            case Refusal() as refusal:
                refusals[index] = refusal

    if not refusals and not dry_run:
        queries.add_spend(session, added, now=now)
    return Recorded(added, refusals)
