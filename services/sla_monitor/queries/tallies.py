"""The counts that reports are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.domain.tallies import Tally

EVERY = "*"
"""Stands for all reps, or all tiers, in a tally."""

_ADD_TALLIES = text("""
    insert into sla.tallies as tally
    select * from json_populate_recordset(cast(null as sla.tallies), cast(:changes as json))
    on conflict (rep, tier, due_on, team, kind, scope, measure, bucket)
    do update set count = tally.count + excluded.count
""")


def add_tallies(session: Session, changes: Mapping[Tally, int]) -> None:
    """Add to the counts of each rep and tier, and to those over all, in the order of their keys."""
    if not changes:
        return
    counts: Counter[Tally] = Counter()
    for tally, count in changes.items():
        for rep, tier in product((tally.rep, EVERY), (tally.tier, EVERY)):
            counts[tally._replace(rep=rep, tier=tier)] += count
    rows = [{**tally._asdict(), "count": count} for tally, count in sorted(counts.items()) if count]
    session.execute(_ADD_TALLIES, {"changes": orjson.dumps(rows).decode()})
