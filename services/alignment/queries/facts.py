"""The facts of handoffs: locked while they are folded, and saved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Integer, TableValuedAlias, any_, cast, func, select, text, tuple_
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts, Key
from services.alignment.domain.promises import KeptCounts
from services.alignment.tables import handoffs
from shared.db.time_range import TimeRange

_FACTS = [handoffs.c[it] for it in HandoffFacts._fields]
_FOLDED = [it for it in HandoffFacts._fields if it not in Key._fields]

_ADD_MISSING = text("""
    insert into alignment.handoffs (lead_id, qualification)
    select key.lead_id, key.qualification
    from json_to_recordset(cast(:keys as json)) as key(lead_id uuid, qualification integer)
    order by key.lead_id, key.qualification
    on conflict do nothing
""")
_SAVE = text(f"""
    update alignment.handoffs as stored
    set ({", ".join(_FOLDED)}) = ({", ".join(f"folded.{it}" for it in _FOLDED)})
    from json_populate_recordset(cast(null as alignment.handoffs), cast(:facts as json)) as folded
    where (stored.lead_id, stored.qualification) = (folded.lead_id, folded.qualification)
""")  # noqa: S608 - the names of columns


_LOCK_UNLINKED = text("""
    insert into alignment.promise_links (handoff_id)
    select asked.id from unnest(cast(:ids as uuid[])) as asked(id)
    where not exists (select from alignment.handoffs as known where known.handoff_id = asked.id)
    order by asked.id
    on conflict (handoff_id) do update set handoff_id = excluded.handoff_id
""")


def locked_facts(session: Session, keys: Collection[Key]) -> dict[Key, HandoffFacts]:
    """The facts of these handoffs, empty ones where nothing is known yet, locked until the transaction ends.

    Two workers may read of one handoff at once, one from scoring and one from routing: the second one waits here.
    """
    if not keys:
        return {}
    rows = keys_as_rows(keys)
    session.execute(_ADD_MISSING, {"keys": _json([it._asdict() for it in keys])})
    statement = (
        select(*_FACTS)
        .join(rows, tuple_(*Key(*rows.c)) == tuple_(handoffs.c.lead_id, handoffs.c.qualification))
        .order_by(handoffs.c.lead_id, handoffs.c.qualification)
        .with_for_update(of=handoffs)
    )
    stored = map(facts_of, session.execute(statement))
    return {facts.key: facts for facts in stored}


def keys_as_rows(keys: Collection[Key]) -> TableValuedAlias:
    """These keys as a table, in one parameter: thousands of them would take longer to write than to look up."""
    arrays = (
        cast([it.lead_id for it in keys], ARRAY(SqlUuid)),
        cast([it.qualification for it in keys], ARRAY(Integer)),
    )
    return func.unnest(*arrays).table_valued(*Key._fields, name="rows").render_derived()


def locked_handoffs(session: Session, handoff_ids: Collection[UUID]) -> dict[Key, HandoffFacts]:
    """The facts of the handoffs of these ids that routing has announced, locked until the transaction ends."""
    if not handoff_ids:
        return {}
    statement = (
        select(*_FACTS)
        .where(handoffs.c.handoff_id == any_(cast(list(handoff_ids), ARRAY(SqlUuid))))
        .order_by(handoffs.c.lead_id, handoffs.c.qualification)
        .with_for_update()
    )
    stored = map(facts_of, session.execute(statement))
    return {facts.key: facts for facts in stored}


def lock_unlinked(session: Session, handoff_ids: Collection[UUID]) -> None:
    """Lock those of these handoffs that routing has not announced, until the transaction ends.

    Otherwise two workers may read a handoff's first change and a promise about it at once, and see nothing of each
    other.
    """
    if handoff_ids:
        session.execute(_LOCK_UNLINKED, {"ids": list(handoff_ids)})


def locked_uncounted(session: Session, *, limit: int) -> dict[Key, HandoffFacts]:
    """Handoffs that an older version has stored, and no tally counts; without those that other transactions hold."""
    statement = (
        select(*_FACTS)
        .where(handoffs.c.category_id.is_(None), handoffs.c.qualified_at.is_not(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    stored = map(facts_of, session.execute(statement))
    return {facts.key: facts for facts in stored}


def facts_on(session: Session, day: date) -> list[HandoffFacts]:
    """The facts of the handoffs that qualified on the date, in UTC."""
    midnight = datetime.combine(day, time(), UTC)
    times = TimeRange(midnight, midnight + timedelta(days=1))
    statement = select(*_FACTS).where(*times.conditions(handoffs.c.qualified_at))
    return list(map(facts_of, session.execute(statement)))


def save_facts(session: Session, facts: Sequence[HandoffFacts]) -> None:
    """Save the facts of handoffs that this transaction has locked."""
    if facts:
        rows = [
            {**it._asdict(), "promises": {name: list(kept) for name, kept in it.promises.items()}}
            for it in facts
        ]
        session.execute(_SAVE, {"facts": _json(rows)})


def facts_of(row: Iterable[Any]) -> HandoffFacts:
    """The facts of a row that has their columns; lists of the database become tuples."""
    facts = HandoffFacts._make(row)
    traits = facts.traits
    return facts._replace(
        attempted_at=tuple(facts.attempted_at),
        traits=None if traits is None else tuple(traits),
        promises={policy: KeptCounts(*counts) for policy, counts in facts.promises.items()},
    )


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()
