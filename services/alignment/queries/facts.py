"""The facts of handoffs: locked while they are folded, and saved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Row, select, text, tuple_
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts, Key
from services.alignment.tables import handoffs

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


def locked_facts(session: Session, keys: Collection[Key]) -> dict[Key, HandoffFacts]:
    """The facts of these handoffs, empty ones where nothing is known yet, locked until the transaction ends.

    Two workers may read of one handoff at once, one from scoring and one from routing: the second one waits here.
    """
    if not keys:
        return {}
    session.execute(_ADD_MISSING, {"keys": _json([it._asdict() for it in keys])})
    statement = (
        select(*_FACTS)
        .where(tuple_(handoffs.c.lead_id, handoffs.c.qualification).in_(keys))
        .order_by(handoffs.c.lead_id, handoffs.c.qualification)
        .with_for_update()
    )
    stored = map(facts_of, session.execute(statement))
    return {facts.key: facts for facts in stored}


def save_facts(session: Session, facts: Sequence[HandoffFacts]) -> None:
    """Save the facts of handoffs that this transaction has locked."""
    if facts:
        session.execute(_SAVE, {"facts": _json([it._asdict() for it in facts])})


def facts_of(row: Row[*tuple[Any, ...]]) -> HandoffFacts:
    """The facts of a row that has their columns; lists of the database become tuples."""
    facts = HandoffFacts._make(row)
    traits = facts.traits
    return facts._replace(
        attempted_at=tuple(facts.attempted_at), traits=None if traits is None else tuple(traits)
    )


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()
