"""The counts that reports are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.source_tallies import SourceTally, with_tier_sums
from services.sla_monitor.domain.tallies import Tally, with_sums

_ADD_TALLIES = text("""
    insert into sla.tallies as tally
    select * from json_populate_recordset(cast(null as sla.tallies), cast(:changes as json))
    on conflict (rep, tier, due_on, team, kind, scope, measure, bucket)
    do update set count = tally.count + excluded.count
""")


def add_tallies(session: Session, changes: Mapping[Tally, int]) -> None:
    """Add to the counts of each rep and tier, and to those over all."""
    add_counts(session, with_sums(changes))


def add_counts(session: Session, changes: Mapping[Tally, int]) -> None:
    """Add to exactly these counts, in the order of their keys."""
    rows = [
        {**tally._asdict(), "count": count} for tally, count in sorted(changes.items()) if count
    ]
    if rows:
        session.execute(_ADD_TALLIES, {"changes": orjson.dumps(rows).decode()})


_ADD_SOURCE_TALLIES = text("""
    insert into sla.source_tallies as tally
    select * from json_populate_recordset(cast(null as sla.source_tallies), cast(:changes as json))
    on conflict (field, tier, due_on, name, team, kind, scope, measure, bucket)
    do update set count = tally.count + excluded.count
""")


def add_source_tallies(session: Session, changes: Mapping[SourceTally, int]) -> None:
    """Add to the counts of each source, campaign and tier, and to those over all tiers."""
    add_source_counts(session, with_tier_sums(changes))


def add_source_counts(session: Session, changes: Mapping[SourceTally, int]) -> None:
    """Add to exactly these counts, in the order of their keys."""
    rows = [
        {**tally._asdict(), "count": count} for tally, count in sorted(changes.items()) if count
    ]
    if rows:
        session.execute(_ADD_SOURCE_TALLIES, {"changes": orjson.dumps(rows).decode()})


def source_tallies_due_on(session: Session, due_on: date) -> dict[SourceTally, int]:
    """The stored counts by source and campaign of clocks that were due on the date."""
    columns = [tables.source_tallies.c[it] for it in (*SourceTally._fields, "count")]
    rows = session.execute(select(*columns).where(tables.source_tallies.c.due_on == due_on))
    return {SourceTally(*key): count for *key, count in rows}


def tallies_due_on(session: Session, due_on: date) -> dict[Tally, int]:
    """The stored counts of clocks that were due on the date."""
    columns = [tables.tallies.c[it] for it in (*Tally._fields, "count")]
    rows = session.execute(select(*columns).where(tables.tallies.c.due_on == due_on))
    return {Tally(*key): count for *key, count in rows}
