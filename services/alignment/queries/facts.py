"""The facts of handoffs: locked while they are folded, and saved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ARRAY, Integer, TableValuedAlias, Text, cast, func, select, text, tuple_
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts, Key
from services.alignment.queries.arrays import array_text
from services.alignment.tables import handoffs

_FACTS = [handoffs.c[it] for it in HandoffFacts._fields]
_FOLDED = [it for it in HandoffFacts._fields if it not in Key._fields]

_ADD_MISSING = text("""
    insert into alignment.handoffs (lead_id, qualification)
    select lead_id, qualification
    from unnest(cast(:lead_ids as uuid[]), cast(:qualifications as integer[])) as key(lead_id, qualification)
    order by lead_id, qualification
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
    session.execute(_ADD_MISSING, _parameters(keys))
    rows = keys_as_rows(keys)
    statement = (
        select(*_FACTS)
        .join(rows, tuple_(*Key(*rows.c)) == tuple_(handoffs.c.lead_id, handoffs.c.qualification))
        .order_by(handoffs.c.lead_id, handoffs.c.qualification)
        .with_for_update(of=handoffs)
    )
    stored = map(facts_of, session.execute(statement).all())
    return {facts.key: facts for facts in stored}


def keys_as_rows(keys: Collection[Key]) -> TableValuedAlias:
    """These keys as a table."""
    parameters = _parameters(keys)
    arrays = (
        cast(cast(parameters["lead_ids"], Text), ARRAY(SqlUuid)),
        cast(cast(parameters["qualifications"], Text), ARRAY(Integer)),
    )
    return func.unnest(*arrays).table_valued(*Key._fields, name="rows").render_derived()


def _parameters(keys: Collection[Key]) -> dict[str, str]:
    return {
        "lead_ids": array_text(it.lead_id for it in keys),
        "qualifications": array_text(it.qualification for it in keys),
    }


def save_facts(
    session: Session, before: Mapping[Key, HandoffFacts], after: Iterable[HandoffFacts]
) -> None:
    """Save what differs of these handoffs, which this transaction has locked."""
    changed = [it._asdict() for it in after if it != before[it.key]]
    if changed:
        session.execute(_SAVE, {"facts": _json(changed)})


def facts_of(row: Iterable[Any]) -> HandoffFacts:
    """The facts of a row that has their columns."""
    return HandoffFacts._make(row)


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()
